import { OFREPWebProvider } from '@openfeature/ofrep-web-provider'
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk'

/** A page that shows the flag `text`: tells its parent what it reads, at first and after each change. */
const baseUrl = process.argv[2] ?? ''
const provider = new OFREPWebProvider({ baseUrl, cacheMode: 'disabled' })
const client = OpenFeature.getClient()
const tell = () => process.send?.({ text: client.getStringValue('text', 'none') })

OpenFeature.addHandler(ProviderEvents.ConfigurationChanged, tell)
await OpenFeature.setProviderAndWait(provider, { targetingKey: 'u' })
tell()
