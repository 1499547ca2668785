import { Packr } from 'msgpackr'
import { Inbox } from './inbox.ts'
import type { Transport } from './transport.ts'

/** A WebSocket of a page or of the package `ws`, as far as it is used here. */
export interface WebSocketLike {
  binaryType: string
  readonly readyState: number
  send(data: Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'message' | 'close' | 'open' | 'error', listener: (event: object) => void): void
}

const OPEN = 1
/** Close code for a frame that is not one of ours. */
const UNREADABLE = 4400

// moreTypes keeps typed arrays what they are. It copies their bytes to a buffer of their own, so that views of 2, 4 and 8
// bytes an element are aligned; copyBuffers does the same for plain bytes, which would otherwise hold the whole frame.
const packr = new Packr({ useRecords: false, moreTypes: true, copyBuffers: true, int64AsType: 'number' })

/** One message as the bytes of one WebSocket frame (MessagePack). */
export function encodeFrame(message: unknown): Uint8Array<ArrayBuffer> {
  const packed: Uint8Array = packr.pack(message)
  // The packer hands out parts of a buffer it goes on using; a copy also makes a plain Uint8Array of Node's Buffer.
  return new Uint8Array(packed)
}

/** Throws on anything that is not one complete message. */
export function decodeFrame(data: unknown): unknown {
  if (!(data instanceof ArrayBuffer) && !ArrayBuffer.isView(data)) throw new TypeError('Not a binary frame.')
  const bytes =
    data instanceof ArrayBuffer
      ? new Uint8Array(data)
      : // A plain view, since unpacking a Node Buffer would give Buffers instead of Uint8Arrays.
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return packr.unpack(bytes) as unknown
}

/** The socket is open or on its way; messages sent before it is open are an error. */
export function webSocketTransport(socket: WebSocketLike): Transport {
  const inbox = new Inbox()
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('message', (event) => {
    let message: unknown
    try {
      message = decodeFrame('data' in event ? event.data : null)
    } catch {
      socket.close(UNREADABLE, 'unreadable message')
      inbox.close('an unreadable message came')
      return
    }
    inbox.deliver(message)
  })
  socket.addEventListener('close', (event) => inbox.close(closeReason(event)))
  socket.addEventListener('error', () => inbox.close('the connection failed'))
  return {
    send(message) {
      if (inbox.closed || socket.readyState < OPEN) throw new Error('The socket is not open.')
      // Closing, the close event to follow, which tells whoever waits for an answer.
      if (socket.readyState > OPEN) return
      socket.send(encodeFrame(message))
    },
    onMessage: (listener) => inbox.onMessage(listener),
    onClose: (listener) => inbox.onClose(listener),
    close() {
      socket.close(1000, 'closed')
      inbox.close('closed')
    },
  }
}

function closeReason(event: object): string {
  if ('reason' in event && typeof event.reason === 'string' && event.reason !== '') return event.reason
  return 'code' in event ? `code ${String(event.code)}` : 'closed'
}

/** Waits until a socket just made is open; rejects when it is refused. */
export function openWebSocket(socket: WebSocketLike): Promise<Transport> {
  const transport = webSocketTransport(socket)
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve(transport))
    transport.onClose((reason) => reject(new Error(`The backend could not be reached (${reason}).`)))
    if (socket.readyState === OPEN) resolve(transport)
  })
}
