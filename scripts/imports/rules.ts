/**
 * The order of rooms in `src/`: the one place to edit when a room is added.
 * A file may import from its own room and from any level below; `docs/architecture.md` shows the whole.
 */

/** Top to bottom. A room is a folder of `src/`, or a file directly in it. */
export const LEVELS: readonly (readonly string[])[] = [
  [
    'index.ts',
    'plugin.ts',
    'create-plugin.ts',
    'core.ts',
    'create-core.ts',
    'core-internals.ts',
    'startup.ts',
    'services.ts',
    'recorders.ts',
    'clustering.ts',
    'upkeep.ts',
    'cli',
    'console',
  ],
  ['guards', 'http', 'docs'],
  ['keys', 'tokens', 'sessions', 'accounts', 'blocks', 'health'],
  ['authentication', 'authorization', 'limits', 'recording', 'cluster', 'life'],
  ['credentials', 'storage'],
  ['options', 'errors.ts', 'lib'],
]

/**
 * Every import that does not go down, each with its reason: all others sideways or upward are refused.
 * `from` and `to` are rooms or files; `typesOnly` ones must be erased by the compiler.
 */
export const EXCEPTIONS: readonly {
  readonly from: string
  readonly to: string
  readonly typesOnly?: true
  readonly why: string
}[] = [
  { from: 'index.ts', to: 'plugin.ts', why: 'the barrel names what is public' },
  { from: 'index.ts', to: 'core.ts', why: 'the barrel names what is public' },
  { from: 'core.ts', to: 'create-core.ts', why: 'what is named makes what is large when it is asked for' },
  { from: 'core.ts', to: 'core-internals.ts', typesOnly: true, why: 'what a core is' },
  { from: 'create-core.ts', to: 'core-internals.ts', why: 'as above' },
  { from: 'core-internals.ts', to: 'services.ts', typesOnly: true, why: 'as above' },
  { from: 'create-core.ts', to: 'services.ts', why: 'the core is its services and their life' },
  { from: 'create-core.ts', to: 'recorders.ts', why: 'as above' },
  { from: 'create-core.ts', to: 'clustering.ts', why: 'as above' },
  { from: 'startup.ts', to: 'clustering.ts', typesOnly: true, why: 'it starts what was put together' },
  { from: 'create-core.ts', to: 'startup.ts', why: 'as above' },
  { from: 'create-core.ts', to: 'upkeep.ts', why: 'as above' },
  { from: 'startup.ts', to: 'services.ts', typesOnly: true, why: 'it starts what was put together' },
  { from: 'startup.ts', to: 'recorders.ts', typesOnly: true, why: 'as above' },
  { from: 'plugin.ts', to: 'core.ts', why: 'HTTP is one door to the core' },
  { from: 'plugin.ts', to: 'core-internals.ts', why: 'as above' },
  { from: 'plugin.ts', to: 'create-plugin.ts', why: 'as core.ts and create-core.ts' },
  { from: 'create-plugin.ts', to: 'core-internals.ts', why: 'HTTP is one door to the core' },
  { from: 'cli', to: 'core.ts', why: 'the command line is the other door' },
  { from: 'cli', to: 'core-internals.ts', why: 'its command serve listens as the plugin does' },
  { from: 'cli', to: 'plugin.ts', why: 'its command serve is an app with nothing but the endpoints' },
  { from: 'console', to: 'core.ts', why: 'as the command line' },
  { from: 'http', to: 'guards', why: 'its routes are guarded like any others' },
  { from: 'docs', to: 'guards', why: 'the document describes the guards' },
  { from: 'authentication', to: 'authorization', why: 'a principal carries what it may do' },
  {
    from: 'limits',
    to: 'authentication/principal.ts',
    typesOnly: true,
    why: 'a key is counted as whom it was proven to be',
  },
  {
    from: 'limits',
    to: 'recording/metrics/meter.ts',
    typesOnly: true,
    why: 'a decision is counted where it is made',
  },
  {
    from: 'recording',
    to: 'authorization/actor.ts',
    why: 'how far somebody reaches decides which events he may read',
  },
  { from: 'credentials', to: 'storage/records.ts', typesOnly: true, why: 'the words of the domain' },
  { from: 'options', to: 'storage/records.ts', typesOnly: true, why: 'the words of the domain' },
  { from: 'options', to: 'storage/ports.ts', typesOnly: true, why: 'a store may be given as an option' },
  { from: 'options', to: 'lib', why: 'lib is below everything' },
  { from: 'options', to: 'errors.ts', why: 'the error class is part of the option types' },
  { from: 'lib', to: 'errors.ts', why: 'helpers that parse what a request sent refuse it' },
  { from: 'errors.ts', to: 'lib/error-table.ts', why: 'the table is too long to stand beside the class' },
]

/** Parts that only some files may meet, so that everything else stays independent of them. */
export const ADAPTERS: readonly { readonly path: string; readonly metBy: readonly string[] }[] = [
  { path: 'storage/drizzle', metBy: ['storage/drizzle', 'storage/open.ts', 'create-core.ts', 'cli'] },
  { path: 'limits/redis', metBy: ['limits/redis', 'clustering.ts'] },
]

/** Packages that only some rooms may know. A name covers its subpaths; a trailing slash covers a scope. */
export const PACKAGES: readonly { readonly names: readonly string[]; readonly knownBy: readonly string[] }[] = [
  {
    names: ['elysia', '@elysiajs/'],
    knownBy: ['index.ts', 'plugin.ts', 'create-plugin.ts', 'guards', 'http', 'docs', 'console', 'cli/actions/serve'],
  },
  { names: ['prom-client'], knownBy: ['recording/metrics'] },
  { names: ['cockatiel'], knownBy: ['lib/resilience'] },
]

/** The public entry and the package's own name: for users, never for the inside. */
export const BARREL = 'index.ts'
export const SELF = 'elysia-machine-auth'
