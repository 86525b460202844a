/** Annotations of config.json that change what tsrun does; all others are only handed on. */

/** crun's way to name the seccomp agent, for configs without listenerPath. */
export const seccompReceiverAnnotation = 'run.oci.seccomp.receiver';

/** runc's way to name a file with more options for criu, among them programs that criu runs on the host. */
export const criuConfigAnnotation = 'org.criu.config';

/** What `tsrun features` warns callers of: who may set these decides more than metadata. */
export const unsafeAnnotations: readonly string[] = [seccompReceiverAnnotation, criuConfigAnnotation];
