/**
 * Lambda hands a function its role's credentials by environment variables; CodeBuild hands a job an address to ask. The
 * bundle puts this in the place of @aws-sdk/credential-provider-node, whose profiles, SSO and metadata service weigh a
 * sixth of every handler.
 */
export const defaultProvider = () => async () => {
  if (process.env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI !== undefined) {
    // Loaded by jobs alone. They outlive a set of credentials: the SDK asks again when `expiration` nears.
    const { fromHttp } = await import('@aws-sdk/credential-provider-http');
    return fromHttp()();
  }
  return {
    accessKeyId: process.env.AWS_ACCESS_KEY_ID ?? '',
    secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY ?? '',
    ...(process.env.AWS_SESSION_TOKEN ? { sessionToken: process.env.AWS_SESSION_TOKEN } : {}),
  };
};
