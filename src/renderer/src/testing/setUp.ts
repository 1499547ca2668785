import { createPinia, setActivePinia, type Pinia } from 'pinia'
import { provideClient } from '../api/client.ts'
import { useConnectionStore } from '../stores/connection.ts'
import { useProjectStore } from '../stores/project.ts'
import { useSettingsStore } from '../stores/settings.ts'
import type { FakeClient } from './fakeClient.ts'

/** Fresh stores over that client. */
export function withClient(client: FakeClient): Pinia {
  provideClient(client)
  const pinia = createPinia()
  setActivePinia(pinia)
  return pinia
}

/** Fresh stores over that client, with project and settings read and the connection followed. */
export async function withProject(client: FakeClient): Promise<Pinia> {
  const pinia = withClient(client)
  useConnectionStore().follow(() => undefined)
  await Promise.all([useSettingsStore().load(), useProjectStore().load()])
  return pinia
}

/** Lets every promise that is ready settle. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0))
}
