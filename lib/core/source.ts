/** A place in a text as editors show it: both from 1, columns in UTF-16 units. */
export interface Position {
  line: number;
  column: number;
}

/** A JSON document that the user wrote. */
export interface Document {
  file: string;
  text: string;
  /** Pointer, in config.json, of what the document as a whole stands for: `/process` for `exec --process FILE`. */
  base?: string;
}

/** A flag of the command line, with its dashes, and the text that it gave, if there is one. */
export interface FlagSource {
  flag: string;
  value?: string | undefined;
}

/** Where the user wrote something: in a document, at a place where a file is no document, or on the command line. */
export type Source = Document | { file: string; position: Position } | FlagSource;
