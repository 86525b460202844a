import { pointerSegments, pointerTo } from '../core/pointer.ts';
import type { Config } from '../config/types.ts';
import { validate } from '../../build/validators/config.js';

/**
 * Takes the property at `pointer` out of the config, so that what else is wrong shows. When that cannot be done
 * without making the config another one, the list or object it is in goes instead.
 *
 * @returns the pointer of what was set aside; undefined when the rest means nothing without it.
 */
export function setAside(config: Config, pointer: string, bundle: string): string | undefined {
  if (pointer === '/root/path' && config.root !== undefined && config.root.path !== bundle) {
    // Any directory will do in its place.
    config.root.path = bundle;
    return pointer;
  }
  const segments = pointerSegments(pointer);
  if (segments[0] === 'mounts' && segments.length > 1) return replaceMount(config, Number(segments[1]));
  // Not what `process` or `linux` are as a whole, unless that is what was asked for.
  const least = Math.min(segments.length, 2);
  for (; segments.length >= least && least > 0; segments.pop()) {
    if (remove(config, segments)) return segments.reduce((path, name) => pointerTo(path, name), '');
  }
  return undefined;
}

/** Removes a property of an object, when the config agrees with the schema afterwards. */
function remove(config: Config, segments: readonly string[]): boolean {
  let parent: unknown = config;
  for (const name of segments.slice(0, -1)) {
    if (typeof parent !== 'object' || parent === null || !Object.hasOwn(parent, name)) return false;
    parent = (parent as Record<string, unknown>)[name];
  }
  const last = segments.at(-1);
  // An element taken out of an array would move those behind it to other pointers.
  if (last === undefined || typeof parent !== 'object' || parent === null || Array.isArray(parent))
    return false;
  if (!Object.hasOwn(parent, last)) return false;
  const object = parent as Record<string, unknown>;
  const value = object[last];
  Reflect.deleteProperty(object, last);
  if (validate(config)) return true;
  object[last] = value;
  return false;
}

/** Nothing is wrong with this one. */
const harmlessMount = { destination: '/proc', type: 'proc' };

function replaceMount({ mounts }: Config, index: number): string | undefined {
  const mount = mounts?.[index];
  if (mounts === undefined || mount === undefined || mount === harmlessMount) return undefined;
  mounts[index] = harmlessMount;
  return pointerTo('/mounts', index);
}
