import type { Schema } from './schema'

/** A value a field may take, with its word. */
export interface FieldOption { value: string; label: string }

/** What a page adds to a generated form; paths read `needs[0].skill`, and `skills[]` for the items of a list. */
export interface FormHelp {
  /** label gives a field's name; undefined leaves it to the schema. */
  label?: (path: string, schema: Schema) => string | undefined
  /** options makes a field a choice among what stands elsewhere (queues, skills, sites). */
  options?: (path: string) => FieldOption[] | undefined
  /** word names a value of an enumeration. */
  word?: (path: string, value: string) => string | undefined
}
