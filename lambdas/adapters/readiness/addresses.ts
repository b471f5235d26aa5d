/** Elastic IP addresses of a Region. In a module of its own: loaded when needed. */
import { DescribeAddressesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { clientFor } from '../aws/clients.ts';

export async function addressesIn(region: string): Promise<number> {
  const { Addresses = [] } = await clientFor(EC2Client, region).send(new DescribeAddressesCommand({}));
  return Addresses.length;
}
