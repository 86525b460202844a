import { bindSourceReason } from '../explain/explain-failure.ts';
import { errnoText } from '../core/errno.ts';
import { fromBundle, insideOf, tidyPath } from '../core/paths.ts';
import { error, warning } from '../core/finding.ts';
import { hookKinds } from '../config/hook-kinds.ts';
import { parseMounts } from '../config/mounts.ts';
import { pointerTo } from '../core/pointer.ts';
import type { HostCheck } from './host-view.ts';

/** config.md, "Mounts": what is bind mounted must be there; filesystems must be known. */
export const mountSources: HostCheck = ({ config, bundle, host }, report) => {
  for (const [i, { mount, pointer, options, bind }] of parseMounts(config).entries()) {
    const { type = '', source = '' } = mount;
    if (options.remount) continue;
    if (bind) {
      const path = fromBundle(bundle, source);
      // A link that is shown or copied itself may lead nowhere.
      const look = options.sourceNoFollow || options.copySymlink ? host.unreachableLink : host.unreachable;
      const errno = source === '' ? undefined : look(path);
      if (errno === undefined) continue;
      const reason = bindSourceReason(path, errno);
      // What is in the rootfs may come by an earlier mount; nothing is mounted to see it.
      const later =
        i > 0 &&
        insideOf(tidyPath(fromBundle(bundle, config.root?.path ?? '')), tidyPath(path)) !== undefined;
      if (later) report(warning(`${pointer}/source`, `${reason}; an earlier mount must bring it`));
      else report(error(`${pointer}/source`, reason));
    } else if (type !== '' && type !== 'cgroup' && !host.facts.filesystems.has(type.split('.')[0] ?? '')) {
      const hint = 'see /proc/filesystems: a module may have to be loaded';
      report(warning(`${pointer}/type`, 'this kernel does not know this filesystem type now', hint));
    }
  }
};

/** Hooks that are found among the files of the host; those of startContainer are the container's. */
export const hookPrograms: HostCheck = ({ config: { hooks }, host }, report) => {
  for (const kind of hookKinds) {
    if (kind === 'startContainer') continue;
    for (const [i, { path }] of (hooks?.[kind] ?? []).entries()) {
      const errno = host.notExecutable(path);
      if (errno === undefined) continue;
      const reason = `cannot be executed: ${errnoText(errno)}`;
      // A poststop hook that fails stops nothing.
      const say = kind === 'poststop' ? warning : error;
      report(say(pointerTo('/hooks', kind, i, 'path'), reason));
    }
  }
};
