// Where mutants run. They may do anything, and as root: they get namespaces of their own, in which the files
// of the host are read-only.

/**
 * The command that runs `command` in there. `writable` is a folder that stays writable.
 * @param {readonly string[]} command @param {string} [writable] @returns {[string, string[]]}
 */
export function sandboxed(command, writable) {
  const script = `
    if [ -n "$1" ]; then mount --bind "$1" "$1" || exit 1; fi
    # Stryker talks to its workers over it.
    ip link set lo up || exit 1
    # A mutant may change the owner of /dev/null.
    mountpoint -q /dev && { mount -o remount,bind,ro /dev || exit 1; }
    mount -o remount,bind,ro / || exit 1
    for folder in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o mode=1777 tmpfs "$folder" || exit 1; done
    shift
    "$@"
    exit $?`;
  const namespaces = ['--mount', '--ipc', '--uts', '--net', '--cgroup', '--pid', '--fork', '--kill-child'];
  return [
    'unshare',
    [
      ...namespaces,
      '--mount-proc',
      '--propagation',
      'private',
      'sh',
      '-c',
      script,
      'sh',
      writable ?? '',
      ...command,
    ],
  ];
}
