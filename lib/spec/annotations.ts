/** Annotations of config.json that change what tsrun does; all others are only handed on. */

/** crun's way to name the seccomp agent, for configs without listenerPath. */
export const seccompReceiverAnnotation = 'run.oci.seccomp.receiver';

/** What `tsrun features` warns callers of: who may set these decides more than metadata. */
export const unsafeAnnotations: readonly string[] = [seccompReceiverAnnotation];
