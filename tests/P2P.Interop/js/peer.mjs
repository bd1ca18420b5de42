// A Helia node on loopback that the tests drive: one JSON command a line on standard input, one JSON answer a line on standard output.
// The tests copy it beside the installed packages, so that the checkout needs no node_modules of its own.
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'
import { withBitswap } from '@helia/bitswap'
import { withLibp2pLight } from '@helia/libp2p'
import { unixfs } from '@helia/unixfs'
import { identify, identifyPush } from '@libp2p/identify'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { tcp } from '@libp2p/tcp'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { MemoryBlockstore } from 'blockstore-core'
import { MemoryDatastore } from 'datastore-core'
import { createHeliaLight } from 'helia'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'
import { CID } from 'multiformats/cid'

const blockstore = new MemoryBlockstore()
const helia = await withBitswap(withLibp2pLight(createHeliaLight({ blockstore, datastore: new MemoryDatastore() }), {
  addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
  transports: [tcp()],
  connectionEncrypters: [noise()],
  streamMuxers: [yamux()],
  services: { identify: identify(), identifyPush: identifyPush(), ping: ping() }
})).start()
const fs = unixfs(helia)

/** Bytes whose value at position i is (i + seed) % 251, in pieces, so that gigabytes need no memory. */
function * generate (length, seed = 0) {
  const piece = Buffer.allocUnsafe(251 * 4096)
  for (let i = 0; i < piece.length; i++) piece[i] = (i + seed) % 251
  for (let left = length; left > 0; left -= piece.length) yield left >= piece.length ? piece : piece.subarray(0, left)
}
const importOptions = ({ chunk = 1 << 20, width = 1024 }) => ({ profile: 'unixfs-v1-2025', cidVersion: 1, rawLeaves: true, chunker: fixedSize({ chunkSize: chunk }), layout: balanced({ maxChildrenPerNode: width }) })
const nowhere = { put: async cid => cid, has: async () => false, get: async () => { throw new Error('not kept') } }

async function digestOf (pieces) {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const piece of pieces) { hash.update(piece); bytes += piece.length }
  return { bytes, sha256: hash.digest('hex') }
}

const commands = {
  async add ({ bytes, seed, ...rest }) {
    return { cid: String(await fs.addByteStream(generate(bytes, seed), importOptions(rest))) }
  },
  async addFolder ({ files, bytes, ...rest }) {
    const entries = Array.from({ length: files }, (_, i) => ({ path: `f${String(i).padStart(5, '0')}.bin`, content: Buffer.concat([...generate(bytes, i)]) }))
    let root
    for await (const entry of fs.addAll(entries, { ...importOptions(rest), wrapWithDirectory: true })) root = entry.cid
    return { cid: String(root) }
  },
  // only the CID: blocks are dropped, so that a gigabyte needs no memory
  async cid ({ bytes, seed, ...rest }) {
    return { cid: String(await unixfs({ blockstore: nowhere }).addByteStream(generate(bytes, seed), importOptions(rest))) }
  },
  async dial ({ address }) {
    const connection = await helia.libp2p.dial(multiaddr(address))
    return { peer: String(connection.remotePeer), encryption: connection.encryption, muxer: connection.multiplexer }
  },
  async ping ({ address }) {
    return { milliseconds: await helia.libp2p.services.ping.ping(multiaddr(address)) }
  },
  async identify ({ address }) {
    const connection = await helia.libp2p.dial(multiaddr(address))
    const seen = await helia.libp2p.services.identify.identify(connection)
    return { agent: seen.agentVersion, version: seen.protocolVersion, protocols: seen.protocols, listen: seen.listenAddrs.map(String), observed: String(seen.observedAddr), signed: seen.signedPeerRecord != null }
  },
  async fetch ({ cid, address }) {
    if (address) await helia.libp2p.dial(multiaddr(address))
    return await digestOf(fs.cat(CID.parse(cid), { blockReadConcurrency: 32 }))
  },
  async fetchFolder ({ cid, address }) {
    if (address) await helia.libp2p.dial(multiaddr(address))
    const entries = []
    for await (const entry of fs.ls(CID.parse(cid))) entries.push({ name: entry.name, ...await digestOf(fs.cat(entry.cid)) })
    return { entries }
  },
  async connections () {
    return { peers: helia.libp2p.getConnections().map(c => ({ peer: String(c.remotePeer), direction: c.direction, streams: c.streams.map(s => s.protocol) })) }
  }
}

const say = answer => process.stdout.write(JSON.stringify(answer) + '\n')
say({ id: 0, ready: true, peer: String(helia.libp2p.peerId), address: helia.libp2p.getMultiaddrs().map(String)[0] })
for await (const line of createInterface({ input: process.stdin })) {
  const { id, command, ...rest } = JSON.parse(line)
  commands[command](rest).then(result => say({ id, ...result }), error => say({ id, error: `${error?.name}: ${error?.message}` }))
}
process.exit(0)
