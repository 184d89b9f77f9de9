/** A WebSocket client that can say how an upgrade was refused. */
import { get } from 'node:http'

type Headers = Readonly<Record<string, string>>

const HANDSHAKE: Headers = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** Asks for an upgrade and reads the answer; 101 when it is granted, and then hangs up. */
export function requestUpgrade(url: string, headers: Headers): Promise<{ status: number; code: string | null }> {
  return new Promise((resolve, reject) => {
    const request = get(url, { headers: { ...HANDSHAKE, ...headers } })
    request.on('error', reject)
    request.on('upgrade', (_response, socket) => {
      socket.destroy()
      resolve({ status: 101, code: null })
    })
    request.on('response', async (response) => {
      const chunks: Buffer[] = []
      for await (const chunk of response) chunks.push(chunk)
      const text = Buffer.concat(chunks).toString()
      resolve({ status: response.statusCode ?? 0, code: text.startsWith('{') ? JSON.parse(text).code : null })
    })
  })
}

/** An open socket whose messages are read one after the other. */
export interface Socket extends Disposable {
  send(text: string): void
  next(): Promise<string>
}

export async function openSocket(url: string, headers: Headers): Promise<Socket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'), { headers })
  const received: string[] = []
  const waiting: ((text: string) => void)[] = []
  socket.addEventListener('message', ({ data }) => {
    const text = String(data)
    const waiter = waiting.shift()
    if (waiter === undefined) received.push(text)
    else waiter(text)
  })
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error(`${url} did not open`)))
  })
  return {
    send: (text) => socket.send(text),
    next() {
      const known = received.shift()
      if (known !== undefined) return Promise.resolve(known)
      const { promise, resolve } = Promise.withResolvers<string>()
      waiting.push(resolve)
      return promise
    },
    [Symbol.dispose]: () => socket.close(),
  }
}
