import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { preProcessFile } from 'typescript';

/** The rooms of the product from the bottom up: a file imports from its own room and from those before it. */
const rooms = [
  ...['core', 'host', 'native', 'config', 'plan', 'explain', 'cgroup', 'network', 'resctrl', 'seccomp'],
  ...['state', 'engine', 'service', 'container', 'checkpoint', 'report', 'preflight', 'cmd'],
];

const root = fileURLToPath(new URL('..', import.meta.url));

const isTest = (file: string): boolean => /\.test\.ts$|\/testing\//.test(file);

/** `lib/<room>/…` or `cmd/…`. */
const roomOf = (file: string): string => (file.startsWith('cmd/') ? 'cmd' : (file.split('/')[1] ?? ''));

const files = ['lib', 'cmd'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
);

/** What each file of the product imports, types included, as far as it is in lib/ or cmd/. */
const imports = new Map(
  files
    .filter((file) => !isTest(file))
    .map((file) => {
      const { importedFiles } = preProcessFile(readFileSync(join(root, file), 'utf8'), true, true);
      const targets = importedFiles
        .filter(({ fileName }) => fileName.startsWith('.'))
        .map(({ fileName }) => join(dirname(file), fileName))
        .filter((target) => /^(lib|cmd)\//.test(target));
      return [file, targets] as const;
    }),
);

const all = [...imports].flatMap(([from, targets]) => targets.map((to) => ({ from, to })));

/** A circle of imports that `file` is on or leads to, as a path of files; undefined when there is none. */
function circleFrom(file: string, path: readonly string[], done: Set<string>): string[] | undefined {
  if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
  if (done.has(file)) return undefined;
  for (const target of imports.get(file) ?? []) {
    const circle = circleFrom(target, [...path, file], done);
    if (circle !== undefined) return circle;
  }
  done.add(file);
  return undefined;
}

describe('imports of the product', () => {
  it('are found in every file', () => {
    expect(imports.size).to.be.above(200);
    expect(imports.get('cmd/tsrun/command-table.ts')).to.include('cmd/tsrun/commands/create.ts');
  });

  it('come from rooms that the order of layers knows', () => {
    const unknown = [...imports.keys()].filter((file) => !rooms.includes(roomOf(file)));
    expect(unknown, 'add the room to the order in lib/layers.test.ts').to.deep.equal([]);
  });

  it('lead to the own room or to an earlier one', () => {
    const upward = all
      .filter(({ from, to }) => rooms.indexOf(roomOf(to)) > rooms.indexOf(roomOf(from)))
      .map(({ from, to }) => `${from} -> ${to}`);
    expect(upward).to.deep.equal([]);
  });

  it('form no circle of files', () => {
    const done = new Set<string>();
    for (const file of imports.keys()) expect(circleFrom(file, [], done)).to.equal(undefined);
  });

  it('lead to no test code', () => {
    expect(all.filter(({ to }) => isTest(to))).to.deep.equal([]);
  });
});
