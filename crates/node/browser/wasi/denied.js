// What runtimes of languages import by themselves and nobody was granted: it answers with the interface's own refusal.

class Descriptor {}
class DirectoryEntryStream {}
class Network {}
class ResolveAddressStream {}
class TcpSocket {}
class UdpSocket {}
class IncomingDatagramStream {}
class OutgoingDatagramStream {}

const none = () => undefined;

function refuse() {
  throw "access-denied";
}

export const denied = {
  "wasi:filesystem/preopens": { getDirectories: () => [] },
  "wasi:filesystem/types": { Descriptor, DirectoryEntryStream, filesystemErrorCode: none },
  "wasi:sockets/network": { Network, networkErrorCode: none },
  "wasi:sockets/instance-network": { instanceNetwork: () => new Network() },
  "wasi:sockets/ip-name-lookup": { ResolveAddressStream, resolveAddresses: refuse },
  "wasi:sockets/tcp": { TcpSocket },
  "wasi:sockets/tcp-create-socket": { createTcpSocket: refuse },
  "wasi:sockets/udp": { UdpSocket, IncomingDatagramStream, OutgoingDatagramStream },
  "wasi:sockets/udp-create-socket": { createUdpSocket: refuse },
};
