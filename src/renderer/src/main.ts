import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { provideClient } from './api/client.ts'
import App from './components/App.vue'
import { connectBackend } from './platform/connect.ts'
import { followInputMode } from './platform/inputMode.ts'
import { applyTheme, rememberedTheme } from './platform/theme.ts'
import './styles/tokens.css'
import './styles/base.css'
import './styles/controls.css'

applyTheme(rememberedTheme())
followInputMode()
provideClient(connectBackend())
createApp(App).use(createPinia()).mount('#app')
