import { fileURLToPath } from 'node:url'
import { defineConfig, mergeConfig } from 'vitest/config'
import base from './vite.config.ts'

export default mergeConfig(base, defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    environment: 'happy-dom',
    include: ['web/test/**/*.test.ts', 'modules/*/ui/**/*.test.ts'],
    testTimeout: 10_000,
    css: false,
  },
}))
