import { TsrunError, systemError } from '../core/error.ts';
import { type HostLibrary, openLibrary } from './library.ts';

type Call = (...args: unknown[]) => unknown;

/** libseccomp(3) through koffi. Functions that can fail return -errno. */
export interface Libseccomp {
  /** `2.5.4` */
  version: string;
  /**
   * seccomp_init(3).
   *
   * @throws TsrunError 'system' when libseccomp refuses the action.
   */
  filter(defaultAction: number): SeccompFilter;
  /** The token of an architecture (SCMP_ARCH_*) by its name; 0 when this version of libseccomp does not know it. */
  arch(name: string): number;
  nativeArch(): number;
  /** The number of a system call. -1: unknown; other negative numbers: it exists on other architectures only. */
  syscall(arch: number, name: string): number;
}

export interface SeccompFilter {
  addArch(arch: number): number;
  /** `conditions`: an array of struct scmp_arg_cmp. */
  addRule(action: number, syscall: number, conditions: Uint8Array, count: number): number;
  setAttribute(attribute: number, value: number): number;
  /** Writes the classic BPF program to `fd`. */
  exportBpf(fd: number): number;
  release(): void;
}

let opened: Libseccomp | undefined;

/**
 * Opens libseccomp.so.2.
 *
 * @throws TsrunError 'unsupported' when it is not installed.
 */
export function libseccomp(): Libseccomp {
  opened ??= open();
  return opened;
}

function open(): Libseccomp {
  const library = openLibrary('libseccomp.so.2');
  if (library === undefined) {
    throw new TsrunError(
      'unsupported',
      'the config has a seccomp profile, but libseccomp.so.2 is not installed',
      {
        pointer: '/linux/seccomp',
        hint: 'install it (on Debian: apt-get install libseccomp2), or remove linux.seccomp from the config',
      },
    );
  }
  const lazily = (declaration: string): Call => {
    let call: Call | undefined;
    return (...args) => (call ??= library.func(declaration))(...args);
  };
  const init = lazily('void *seccomp_init(uint32_t)');
  const release = lazily('void seccomp_release(void *)');
  const archAdd = lazily('int seccomp_arch_add(void *, uint32_t)');
  const ruleAdd = lazily('int seccomp_rule_add_array(void *, uint32_t, int, unsigned int, const void *)');
  const attrSet = lazily('int seccomp_attr_set(void *, int, uint32_t)');
  const exportBpf = lazily('int seccomp_export_bpf(void *, int)');
  const archNative = lazily('uint32_t seccomp_arch_native()');
  const archResolve = lazily('uint32_t seccomp_arch_resolve_name(const char *)');
  const syscallResolve = lazily('int seccomp_syscall_resolve_name_arch(uint32_t, const char *)');
  return {
    version: versionOf(library),
    filter(defaultAction) {
      const context = init(defaultAction);
      if (context === null)
        throw systemError('make a seccomp filter', 22, { pointer: '/linux/seccomp/defaultAction' });
      return {
        addArch: (arch) => Number(archAdd(context, arch)),
        addRule: (action, syscall, conditions, count) =>
          Number(ruleAdd(context, action, syscall, count, conditions)),
        setAttribute: (attribute, value) => Number(attrSet(context, attribute, value)),
        exportBpf: (fd) => Number(exportBpf(context, fd)),
        release: () => {
          release(context);
        },
      };
    },
    arch: (name) => Number(archResolve(name)),
    nativeArch: () => Number(archNative()),
    syscall: (arch, name) => Number(syscallResolve(arch, name)),
  };
}

/** Reads struct scmp_version: three unsigned numbers, major, minor and micro. */
function versionOf(library: HostLibrary): string {
  const pointer = library.func('const void *seccomp_version()')();
  const parts: unknown = library.decode(pointer, 'unsigned int', 3);
  return Array.isArray(parts) || ArrayBuffer.isView(parts)
    ? Array.from(parts as Uint32Array).join('.')
    : 'unknown';
}
