/** The properties of config.json, derived from the schemas, so that no test can forget one. */
import { readFileSync } from 'node:fs';

export interface Schema {
  type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  $ref?: string;
  description?: string;
  properties?: Record<string, Schema>;
  additionalProperties?: Schema;
  items?: Schema;
  required?: string[];
  enum?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  minItems?: number;
}

/** A property wherever it is: `[]` stands for an element of an array, `*` for any name in a map. */
export interface Property {
  path: readonly string[];
  schema: Schema;
}

/** The schema files read so far. */
const files = new Map<string, Record<string, unknown>>();

function schemaFile(name: string): Record<string, unknown> {
  const known = files.get(name);
  if (known !== undefined) return known;
  const url = new URL(`../../../schemas/${name}`, import.meta.url);
  const parsed = JSON.parse(readFileSync(url, 'utf8')) as Record<string, unknown>;
  files.set(name, parsed);
  return parsed;
}

/** The schema a reference means, and the file its own references are relative to. */
function resolve(schema: Schema, file: string): { schema: Schema; file: string } {
  if (schema.$ref === undefined) return { schema, file };
  const [name = '', fragment = ''] = schema.$ref.split('#');
  const target = name === '' ? file : name;
  const found = fragment
    .split('/')
    .slice(1)
    .reduce((value, key) => value[key] as Record<string, unknown>, schemaFile(target));
  return resolve(found, target);
}

/** The schema with all references in it replaced by what they mean. */
function expand(schema: Schema, file: string): Schema {
  const { schema: own, file: at } = resolve(schema, file);
  const all: Schema = { ...own };
  if (own.properties !== undefined) {
    all.properties = Object.fromEntries(
      Object.entries(own.properties).map(([name, child]) => [name, expand(child, at)]),
    );
  }
  if (own.items !== undefined) all.items = expand(own.items, at);
  if (own.additionalProperties !== undefined) {
    all.additionalProperties = expand(own.additionalProperties, at);
  }
  return all;
}

export const configSchema = expand({ $ref: 'config.json' }, 'config.json');

/** What is directly in a value of this schema, by name. */
function childrenOf({ properties = {}, items, additionalProperties }: Schema): [string, Schema][] {
  return [
    ...Object.entries(properties),
    ...(items === undefined ? [] : [['[]', items] satisfies [string, Schema]]),
    ...(additionalProperties === undefined ? [] : [['*', additionalProperties] satisfies [string, Schema]]),
  ];
}

function below(schema: Schema, path: readonly string[]): Property[] {
  return childrenOf(schema).flatMap(([name, child]) => [
    { path: [...path, name], schema: child },
    ...below(child, [...path, name]),
  ]);
}

/** Every property of config.json, parents before what is in them. */
export const allProperties: readonly Property[] = below(configSchema, []);

/** True for one that is there for other systems, whose value is never looked at. */
export function isUnused({ schema }: Property): boolean {
  return schema.type === undefined && schema.enum === undefined;
}

/** The smallest sensible value. */
export function sampleOf(schema: Schema): unknown {
  if (schema.enum !== undefined) return schema.enum.find((value) => value !== '');
  const { properties = {}, required = [], minimum = 0, items } = schema;
  switch (schema.type) {
    case 'array':
      return items === undefined ? [] : [sampleOf(items)];
    case 'string':
      return 'x';
    case 'integer':
      return Math.max(minimum, 1);
    case 'boolean':
      return true;
    default:
      return Object.fromEntries(required.map((name) => [name, sampleOf(properties[name] ?? {})]));
  }
}

/** The name used for any name in a map. */
const anyName = 'any';

/** The names and indices of the first such property in a config. */
export function segmentsOf(path: readonly string[]): string[] {
  return path.map((name) => (name === '[]' ? '0' : name === '*' ? anyName : name));
}

/** Puts a value at a path, with what must be around it; undefined takes the property away. */
export function place(config: object, path: readonly string[], value: unknown): void {
  let object = config as Record<string, unknown>;
  let schema = configSchema;
  const segments = segmentsOf(path);
  for (const [depth, segment] of segments.entries()) {
    const name = path[depth] ?? '';
    const child =
      name === '[]' ? schema.items : name === '*' ? schema.additionalProperties : schema.properties?.[name];
    if (child === undefined) throw new Error(`no property ${path.join('.')}`);
    schema = child;
    if (depth < segments.length - 1) {
      object[segment] ??= sampleOf(schema);
      object = object[segment] as Record<string, unknown>;
    } else if (value === undefined) Reflect.deleteProperty(object, segment);
    else object[segment] = value;
  }
}
