import js from '@eslint/js'
import importX, { createNodeResolver } from 'eslint-plugin-import-x'
import vue from 'eslint-plugin-vue'
import tseslint from 'typescript-eslint'
import vueParser from 'vue-eslint-parser'

/** Who may import whom (src folders). Everything not listed is forbidden: see docs/architecture.md. */
const layers = {
  core: [],
  imaging: ['core'],
  compute: ['core', 'imaging'],
  backend: ['core', 'imaging'],
  server: ['backend', 'core'],
  cli: ['backend', 'core', 'server', 'imaging'],
  main: ['backend', 'core'],
  preload: ['core'],
  renderer: ['core'],
}
const layerZones = Object.entries(layers).map(([layer, allowed]) => ({
  target: `./src/${layer}`,
  from: './src',
  except: [layer, ...allowed].map((folder) => `./${folder}`),
  message: `src/${layer} may import only: ${[layer, ...allowed].join(', ')}.`,
}))

/** Inside the renderer, lowest first. A folder may import those before it, and `i18n` and `styles` from anywhere. */
const rendererOrder = ['platform', 'api', 'canvas', 'history', 'tools', 'stores', 'actions', 'components']
const siblings = new Set(['canvas', 'history', 'tools'])
const rendererZones = rendererOrder.map((folder, at) => ({
  target: `./src/renderer/src/${folder}`,
  from: './src/renderer/src',
  except: [
    './i18n',
    './styles',
    ...rendererOrder
      .filter((other, place) => place <= at || (siblings.has(folder) && siblings.has(other)))
      .map((other) => `./${other}`),
  ],
  message: `renderer/${folder} may import only what stands below it: ${rendererOrder.slice(0, at).join(', ')}.`,
}))

/** Packages that belong to some folders alone. */
const packageOwners = [
  { group: ['@tensorflow/*'], owners: ['compute'] },
  { group: ['electron', 'electron/*'], owners: ['main', 'preload'] },
  { group: ['vue', 'pinia', 'konva', '@tabler/*'], owners: ['renderer'] },
  { group: ['ws'], owners: ['server', 'core/rpc'] },
  {
    group: ['sharp', 'nifti-reader-js', 'lerc', 'fast-xml-parser', 'dicom-parser', 'dcmjs-codecs'],
    owners: ['imaging'],
  },
  { group: ['commander'], owners: ['cli'] },
]
const nodeBuiltins = { regex: '^node:', message: 'This folder runs where there is no Node.' }

function packageRule(folder, extra = []) {
  const foreign = packageOwners
    .filter(({ owners }) => !owners.some((owner) => owner === folder || owner.startsWith(`${folder}/`)))
    .map(({ group, owners }) => ({ group, message: `Only src/${owners.join(', src/')} may import this package.` }))
  return ['error', { patterns: [...foreign, ...extra] }]
}

const tests = ['**/*.test.ts', '**/testing/**']

export default tseslint.config(
  { ignores: ['out', 'node_modules', '.cache', 'test-results', 'playwright-report', 'resources'] },
  js.configs.recommended,
  {
    files: ['**/*.{js,mjs}'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        Buffer: 'readonly',
        fetch: 'readonly',
        AbortSignal: 'readonly',
      },
    },
  },
  {
    files: ['**/*.{ts,vue}'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: {
      parserOptions: {
        project: ['./tsconfig.node.json', './tsconfig.web.json', './tsconfig.e2e.json'],
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.vue'],
        // For the import rules, which parse imported .vue files themselves.
        parser: '@typescript-eslint/parser',
      },
    },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createNodeResolver({ extensions: ['.ts', '.vue', '.js', '.mjs', '.json'] })],
      'import-x/extensions': ['.ts', '.vue'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'], 'vue-eslint-parser': ['.vue'] },
    },
    rules: {
      'import-x/no-cycle': 'error',
      'import-x/no-self-import': 'error',
      'import-x/no-restricted-paths': [
        'error',
        { basePath: import.meta.dirname, zones: [...layerZones, ...rendererZones] },
      ],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      // Interfaces describe what a promise-returning method must do; one implementation may have nothing to await.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  ...Object.keys(layers).map((folder) => ({
    files: [`src/${folder}/**/*.{ts,vue}`],
    rules: {
      'no-restricted-imports': packageRule(
        folder,
        ['core', 'renderer', 'preload'].includes(folder) ? [nodeBuiltins] : [],
      ),
    },
  })),
  {
    files: ['src/core/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', 'process', 'Buffer', 'window', 'document', 'require', 'global'],
    },
  },
  {
    files: [
      'src/cli/**/*.ts',
      'scripts/**/*.{ts,mjs}',
      'bench/**/*.ts',
      'bin/*.mjs',
      'src/compute/entry.ts',
      'src/main/index.ts',
    ],
    rules: { 'no-console': 'off' },
  },
  {
    // Tests put pieces together that the product keeps apart.
    files: tests,
    rules: {
      'no-restricted-imports': 'off',
      'no-restricted-globals': 'off',
      'import-x/no-restricted-paths': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  ...vue.configs['flat/recommended'].map((config) => ({ ...config, files: ['**/*.vue'] })),
  {
    files: ['**/*.vue'],
    languageOptions: {
      parser: vueParser,
      parserOptions: {
        parser: tseslint.parser,
        project: ['./tsconfig.web.json'],
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: ['.vue'],
      },
    },
    rules: {
      // Layout is the formatter's business.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-indent': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/multi-word-component-names': 'off',
      'no-undef': 'off',
    },
  },
  { files: ['**/*.ts'], rules: { 'no-undef': 'off' } },
  { files: ['e2e/**/*.ts'], rules: { 'no-empty-pattern': 'off' } },
  { files: ['**/*.{js,mjs}'], extends: [tseslint.configs.disableTypeChecked] },
)
