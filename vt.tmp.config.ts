import { defineConfig } from 'vitest/config';
export default defineConfig({ test: { root: '/work/wt/simulation', pool:'forks', testTimeout: 240000, hookTimeout:180000, maxWorkers:1, globalSetup:['/tmp/simw/assembly.ts'] } });
