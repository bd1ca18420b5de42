// Several js-libp2p nodes with its DHT on loopback, in one process, driven like peer.mjs: one JSON command a line in, one JSON answer a line out.
import { createInterface } from 'node:readline'
import { generateKeyPair, publicKeyToProtobuf } from '@libp2p/crypto/keys'
import { identify, identifyPush } from '@libp2p/identify'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { peerIdFromString } from '@libp2p/peer-id'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { CID } from 'multiformats/cid'

const protocol = process.argv[2]
const count = Number(process.argv[3])
const nodes = []
for (let i = 0; i < count; i++) {
  nodes.push(await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      identifyPush: identifyPush(),
      ping: ping(),
      dht: kadDHT({ protocol, clientMode: false, peerInfoMapper: passthroughMapper, allowQueryWithZeroPeers: true })
    }
  }))
}
const addressOf = node => node.getMultiaddrs().map(String)[0]
const hex = bytes => Buffer.from(bytes).toString('hex')

const commands = {
  async addresses () {
    return { addresses: nodes.map(addressOf) }
  },
  async dial ({ node, address }) {
    await nodes[node].dial(multiaddr(address))
    return {}
  },
  async tables () {
    return { sizes: nodes.map(node => node.services.dht.routingTable.size) }
  },
  async provide ({ node, cid }) {
    let told = 0
    for await (const event of nodes[node].services.dht.provide(CID.parse(cid))) if (event.name === 'PEER_RESPONSE' || event.name === 'SEND_QUERY') told++
    return { told }
  },
  async findProviders ({ node, cid }) {
    const providers = new Set()
    for await (const event of nodes[node].services.dht.findProviders(CID.parse(cid), { signal: AbortSignal.timeout(30_000) })) {
      if (event.name === 'PROVIDER') for (const provider of event.providers) providers.add(String(provider.id))
      if (providers.size > 0) break
    }
    return { providers: [...providers] }
  },
  async findPeer ({ node, peer }) {
    const found = await nodes[node].peerRouting.findPeer(peerIdFromString(peer), { signal: AbortSignal.timeout(30_000) })
    return { peer: String(found.id), addresses: found.multiaddrs.map(String) }
  },
  async makeKey ({ node, bits }) {
    const key = await generateKeyPair('RSA', bits)
    return { publicKey: hex(publicKeyToProtobuf(key.publicKey)) }
  },
  async put ({ node, key, value }) {
    let told = 0
    for await (const event of nodes[node].services.dht.put(Buffer.from(key, 'hex'), Buffer.from(value, 'hex'))) if (event.name === 'PEER_RESPONSE') told++
    return { told }
  },
  async get ({ node, key }) {
    for await (const event of nodes[node].services.dht.get(Buffer.from(key, 'hex'), { signal: AbortSignal.timeout(30_000) })) if (event.name === 'VALUE') return { value: hex(event.value) }
    return { value: null }
  }
}

const say = answer => process.stdout.write(JSON.stringify(answer) + '\n')
say({ id: 0, ready: true, peer: String(nodes[0].peerId), address: addressOf(nodes[0]) })
for await (const line of createInterface({ input: process.stdin })) {
  const { id, command, ...rest } = JSON.parse(line)
  commands[command](rest).then(result => say({ id, ...result }), error => say({ id, error: `${error?.name}: ${error?.message}` }))
}
process.exit(0)
