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
    // By the function's own policy: the roles are not ours to change, and a grant to an imported role silently adds nothing.
    // Since October 2025 a URL needs both actions; the second holds through the URL only.
    configuration.approverRoleArns.forEach((principal, index) => {
      decide.addPermission(`Approver${index}Url`, {
        principal: new iam.ArnPrincipal(principal),
        action: 'lambda:InvokeFunctionUrl',
        functionUrlAuthType: lambda.FunctionUrlAuthType.AWS_IAM,
      });
      decide.addPermission(`Approver${index}`, {
        principal: new iam.ArnPrincipal(principal),
        action: 'lambda:InvokeFunction',
        invokedViaFunctionUrl: true,
      });
    });
    new CfnOutput(this, 'Url', {
      value: url.url,
      description: 'Approve or decline here, signed with your own credentials',
    });
  }
}
