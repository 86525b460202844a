/** Known mount options (lib/spec/mount-options.ts) that nothing is done for yet. */
export const unsupportedMountOptions: readonly string[] = ['copy-symlink', 'dest-nofollow'];
