import { existsSync } from 'node:fs'
import { chromium, type Browser, type Page } from '@playwright/test'

export async function launch(): Promise<Browser> {
  const debian = '/usr/bin/chromium'
  return chromium.launch({
    ...(existsSync(debian) ? { executablePath: debian } : {}),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'],
  })
}

export async function ready(page: Page): Promise<void> {
  await page.locator('[data-testid=viewer-canvas][data-ready=true]').waitFor({ timeout: 60_000 })
}

export async function openFile(page: Page, file: string): Promise<void> {
  await page.getByTestId('open-file').first().click()
  await page.getByTestId('path-field').fill(file)
  await page.getByTestId('path-field').press('Enter')
  await ready(page)
}

export async function addLabel(page: Page): Promise<void> {
  await page.getByTestId('label-add').click()
  await page.getByTestId('label-name').last().fill('Liver')
  await page.getByTestId('label-name').last().press('Enter')
  await page.keyboard.press('Escape')
}

/** Tells pictures apart: the canvases of the viewer, summed up by place. */
export async function fingerprint(page: Page): Promise<string> {
  return page.evaluate(() => {
    const sums = [...document.querySelectorAll<HTMLCanvasElement>('[data-testid=viewer-canvas] canvas')].map(
      (canvas) => {
        const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []
        let sum = 0
        for (let i = 0; i < data.length; i += 97) sum = (sum * 31 + (data[i] ?? 0)) % 2147483647
        return sum
      },
    )
    return sums.join(' ')
  })
}
