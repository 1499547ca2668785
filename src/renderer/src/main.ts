import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { lifeOf, provideClient } from './api/client.ts'
import App from './components/App.vue'
import { connectBackend } from './platform/connect.ts'
import { followInputMode } from './platform/inputMode.ts'
import { provideRestart } from './platform/pageLife.ts'
import { applyTheme, rememberedTheme } from './platform/theme.ts'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'
import './styles/figures.css'

applyTheme(rememberedTheme())
followInputMode()

const backend = connectBackend()
let end = begin()
provideRestart(() => {
  end()
  end = begin()
})

/** The whole interface over fresh stores; the answer takes it down. */
function begin(): () => void {
  const life = lifeOf(backend)
  provideClient(life.client)
  const app = createApp(App).use(createPinia())
  app.mount('#app')
  return () => {
    app.unmount()
    life.end()
  }
}
