// Types of what scripts/validators.ts generates; package.json maps #validators to both.

export interface SchemaError {
  /** JSON pointer to the value at fault. */
  instancePath: string;
  schemaPath: string;
  keyword: string;
  params: Record<string, unknown>;
}
export interface Validator {
  /** The value at the JSON pointer "instancePath", '' unless given. */
  (value: unknown, at?: { instancePath: string }): boolean;
  errors?: SchemaError[] | null;
}

export declare const validate: Validator;
export declare const validateProcess: Validator;
export declare const validateResources: Validator;
