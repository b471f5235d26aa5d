/** Kubernetes group of the recovery's functions; what it may do is in the base manifests of the repository. */
export const kubernetesGroup = 'stocker-dr';
