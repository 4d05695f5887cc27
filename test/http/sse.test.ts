import { once } from 'node:events'
import { afterEach, expect, test, vi } from 'vitest'
import { streamBufferBytesMax, streamsMax } from '../../src/base/limits.ts'
import { createEventStreams, eventFrame } from '../../src/http/sse.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('a frame is event, id and one line of data, whatever the data holds', () => {
  expect(eventFrame('change', 'ab', { text: 'two\nlines' })).toBe(
    'event: change\nid: ab\ndata: {"text":"two\\nlines"}\n\n',
  )
})

test('a stream begins with the time to wait before coming back, and the frames it is opened with', () => {
  const { body } = createEventStreams().open(eventFrame('a', '1', 2))
  expect(String(body.read())).toBe('retry: 1000\n\nevent: a\nid: 1\ndata: 2\n\n')
})

test('a quiet stream gets a comment every 15 s', () => {
  vi.useFakeTimers()
  const { body } = createEventStreams().open('')
  body.read()
  vi.advanceTimersByTime(14_999)
  expect(body.read()).toBe(null)
  vi.advanceTimersByTime(1)
  expect(String(body.read())).toBe(': still here\n\n')
})

test('a reader that lets too much wait is cut off, and others are not', async () => {
  const streams = createEventStreams()
  const [slow, quick] = [streams.open(''), streams.open('')]
  const closed = once(slow.body, 'close')
  const frame = eventFrame('change', 'ab', 'x'.repeat(100_000))
  for (let sent = 0; sent <= streamBufferBytesMax; sent += frame.length) {
    slow.push(frame)
    quick.push(frame)
    quick.body.read()
  }
  await closed
  expect(slow.body.destroyed).toBe(true)
  expect(quick.body.destroyed).toBe(false)
  expect(streams.count).toBe(1)
  slow.push(frame)
})

test('a node keeps so many streams and no more', () => {
  const streams = createEventStreams()
  for (let i = 0; i < streamsMax; i++) streams.open('')
  expect(() => streams.open('')).toThrow(expect.objectContaining({ code: 'OVERLOADED' }))
  streams.close()
})

test('closing ends every stream after what was sent', async () => {
  const streams = createEventStreams()
  const { body, push, onClose } = streams.open('')
  const gone = vi.fn()
  onClose(gone)
  push('last')
  streams.close()
  const ended = once(body, 'close')
  expect((await body.toArray()).join('')).toBe('retry: 1000\n\nlast')
  await ended
  expect(gone).toHaveBeenCalledOnce()
  expect(streams.count).toBe(0)
})
