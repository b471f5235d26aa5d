/** Disasters that a person makes, with the master's session and one careless statement. */
import type { Disaster } from './disaster.ts';

export const dropTable: Disaster = {
  title: 'a table is dropped',
  loses: 'database',
  async strike({ master }) {
    await master.query('DROP TABLE stocker.order_line');
    return 'DROP TABLE stocker.order_line';
  },
};

export const badUpdate: Disaster = {
  title: 'an UPDATE without its WHERE',
  loses: 'database',
  async strike({ master }) {
    const { rowCount } = await master.query('UPDATE stocker.stock SET quantity = 0');
    return `UPDATE stocker.stock SET quantity = 0, ${rowCount} rows`;
  },
};

/** It dies before it writes its version, as most do: the schema is neither the old one nor the new one. */
export const badMigration: Disaster = {
  title: 'a migration drops a column that is in use, and dies half-way',
  loses: 'database',
  async strike({ master }) {
    await master.query('ALTER TABLE stocker.stock_movement DROP COLUMN reason');
    return 'ALTER TABLE stocker.stock_movement DROP COLUMN reason';
  },
};
