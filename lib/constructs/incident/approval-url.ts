import { CfnOutput } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Configuration } from '../../../config/schema.ts';

/** DR Region only: where a named person decides. IAM authorization, so the caller's identity is AWS's word; nothing to click (aws-facts). */
export class ApprovalUrl extends Construct {
  constructor(scope: Construct, id: string, configuration: Configuration, decide: lambda.Function) {
    super(scope, id);
    const url = decide.addFunctionUrl({ authType: lambda.FunctionUrlAuthType.AWS_IAM });
    configuration.approverRoleArns.forEach((roleArn, index) => {
      const approver = iam.Role.fromRoleArn(this, `Approver${index}`, roleArn, { mutable: false });
      url.grantInvokeUrl(approver);
    });
    new CfnOutput(this, 'Url', {
      value: url.url,
      description: 'Approve or decline here, signed with your own credentials',
    });
  }
}
