# Sends bursts of numbered datagrams, each burst as one message that the kernel cuts (UDP_SEGMENT),
# and checks the echo of every datagram. Node cannot set that option.
#   python3 udp-burst.py HOST PORT BURSTS DATAGRAMS BYTES
# Prints how many came back whole and once, of how many.
import socket
import struct
import sys

SOL_UDP, UDP_SEGMENT = 17, 103
host, port, bursts, datagrams, size = sys.argv[1], *map(int, sys.argv[2:6])
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
client.setsockopt(SOL_UDP, UDP_SEGMENT, size)
client.connect((host, port))
client.settimeout(3)


def datagram(number):
    return struct.pack('<I', number) + bytes((number + place) % 251 for place in range(size - 4))


whole = 0
for burst in range(bursts):
    numbers = range(burst * datagrams, (burst + 1) * datagrams)
    client.send(b''.join(datagram(number) for number in numbers))
    waiting = set(numbers)
    try:
        while waiting:
            answer = client.recv(65536)
            number = struct.unpack('<I', answer[:4])[0]
            if number in waiting and answer == datagram(number):
                waiting.remove(number)
                whole += 1
    except TimeoutError:
        pass
print(whole, bursts * datagrams)
