import { defineConfig } from 'electron-vite'
import vue from '@vitejs/plugin-vue'

/**
 * One build for both shells: `out/main` holds everything that runs in Node (Electron's main process, the command line
 * with the browser shell in it, the compute process), `out/preload` the sandboxed preload, `out/renderer` the page.
 * Packages stay external in Node code: native modules and the wasm binaries are found beside their own package.json.
 */
export default defineConfig({
  main: {
    build: {
      outDir: 'out/main',
      target: 'node24',
      sourcemap: true,
      rolldownOptions: {
        input: {
          index: 'src/main/index.ts',
          cli: 'src/cli/main.ts',
          compute: 'src/compute/entry.ts',
          batches: 'src/compute/data/worker/entry.ts',
        },
        output: { format: 'es', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' },
      },
    },
  },
  preload: {
    build: {
      outDir: 'out/preload',
      sourcemap: false,
      // A sandboxed preload cannot import packages and must be CommonJS.
      externalizeDeps: false,
      rolldownOptions: {
        input: { index: 'src/preload/index.ts' },
        output: { format: 'cjs', entryFileNames: '[name].cjs' },
      },
    },
  },
  renderer: {
    root: 'src/renderer',
    plugins: [vue()],
    build: {
      outDir: 'out/renderer',
      target: 'chrome140',
      sourcemap: false,
      // Everything the page needs comes as files of its own origin: the content security policy allows nothing else.
      assetsInlineLimit: 0,
      minify: true,
      modulePreload: { polyfill: false },
      rolldownOptions: { input: { index: 'src/renderer/index.html' } },
    },
  },
})
