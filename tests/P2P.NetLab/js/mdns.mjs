// A js-libp2p node with its multicast DNS, on the one interface of this host: says in lines of JSON who it is and whom it discovers.
import { identify } from '@libp2p/identify'
import { mdns } from '@libp2p/mdns'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'

const node = await createLibp2p({
  addresses: { listen: [`/ip4/${process.argv[2]}/tcp/0`] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  peerDiscovery: [mdns({ interval: 1000, ip: '224.0.0.251' })],
  services: { identify: identify() }
})
node.addEventListener('peer:discovery', ({ detail }) => console.log(JSON.stringify({ event: 'discovered', peer: String(detail.id), addresses: detail.multiaddrs.map(String) })))
node.addEventListener('peer:identify', ({ detail }) => console.log(JSON.stringify({ event: 'identified', peer: String(detail.peerId), agent: detail.agentVersion })))
console.log(JSON.stringify({ event: 'ready', peer: String(node.peerId) }))
