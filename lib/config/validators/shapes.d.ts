export interface Shape {
  /** The known properties of an object; null for one of whose content nothing is known. */
  properties?: Readonly<Record<string, Shape | null>>;
  /** The elements of an array. */
  items?: Shape | null;
  /** The values of an object whose keys are free. */
  values?: Shape | null;
}
export declare const configShape: Shape;
