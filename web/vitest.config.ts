import { defineConfig, mergeConfig } from 'vitest/config'
import base from './vite.config'

export default mergeConfig(base, defineConfig({
  test: {
    environment: 'happy-dom',
    include: ['web/test/**/*.test.ts', 'modules/*/ui/**/*.test.ts'],
    root: '..',
    testTimeout: 10_000,
    css: false,
  },
}))
