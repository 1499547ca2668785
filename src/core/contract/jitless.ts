import { z } from 'zod'

/**
 * Imported before any schema is built: zod otherwise compiles schemas with `new Function`, and even its probe whether
 * it may is reported as a violation of the page's content security policy.
 */
z.config({ jitless: true })
