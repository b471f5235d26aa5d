import * as eks from 'aws-cdk-lib/aws-eks';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { kubernetesGroup } from '../../../config/names.ts';

/** Lets functions into the cluster that Terraform owns: an access entry each, made beforehand, since IAM may be out of reach in the disaster. */
export class ClusterAccess extends Construct {
  constructor(
    scope: Construct,
    id: string,
    clusterName: string,
    functions: Readonly<Record<string, lambda.IFunction>>,
  ) {
    super(scope, id);
    for (const [name, each] of Object.entries(functions)) {
      if (!each.role) throw new Error(`${name} has no role`);
      new eks.CfnAccessEntry(this, name, {
        clusterName,
        principalArn: each.role.roleArn,
        kubernetesGroups: [kubernetesGroup],
        type: 'STANDARD',
      });
    }
  }
}
