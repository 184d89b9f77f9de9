import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: './src/storage/drizzle/schema.postgres.ts',
  out: './src/storage/drizzle/migrations/postgres',
})
