/** The quotas that a recovery uses up, with the values that a new account has (AWS General Reference, Service Quotas). */
export interface Quota {
  readonly service: string;
  readonly code: string;
  readonly name: string;
  readonly value: number;
  readonly isAdjustable: boolean;
}

const quota = (service: string, code: string, name: string, value: number, isAdjustable = true): Quota => ({
  service,
  code,
  name,
  value,
  isAdjustable,
});

export const quotas: readonly Quota[] = [
  quota('rds', 'L-7B6409FD', 'DB instances', 40),
  quota('rds', 'L-272F1212', 'Manual DB instance snapshots', 100),
  /** In gibibytes. */
  quota('rds', 'L-7ADDB58A', 'Total storage for all DB instances', 100_000),
  /** In vCPUs. */
  quota('ec2', 'L-1216C47A', 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances', 5),
  quota('ec2', 'L-0263D0A3', 'EC2-VPC Elastic IPs', 5),
  quota('eks', 'L-1194D53C', 'Clusters', 100),
  quota('eks', 'L-6D54EA21', 'Managed node groups per cluster', 30),
  quota('eks', 'L-BD136A63', 'Nodes per managed node group', 450),
];

export const serviceNames: Readonly<Record<string, string>> = {
  rds: 'Amazon Relational Database Service (Amazon RDS)',
  ec2: 'Amazon Elastic Compute Cloud (Amazon EC2)',
  eks: 'Amazon Elastic Kubernetes Service (Amazon EKS)',
};
