/**
 * Lambda hands a function its role's credentials by environment variables. The bundle puts this in the place of
 * @aws-sdk/credential-provider-node, whose profiles, SSO and metadata service weigh a sixth of every handler.
 */
export const defaultProvider = () => async () => ({
  accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? '',
  secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? '',
  ...(process.env.AWS_SESSION_TOKEN ? { sessionToken: process.env.AWS_SESSION_TOKEN } : {}),
});
