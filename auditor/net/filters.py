"""What the kernel lets through to our link sockets: all programs, made of the same few steps.

Source: classic BPF as in linux/filter.h; Ethernet II, ARP (RFC 826), IPv4 (RFC 791), IPv6 (RFC 8200),
TCP (RFC 9293) and ICMP (RFC 792) for the places of what is looked at.
"""

Instruction = tuple[int, int, int, int]  # code, jump if true, jump if false, operand
Program = tuple[Instruction, ...]

ETH_P_ALL, ETH_P_IP, ETH_P_ARP, ETH_P_IPV6 = 0x0003, 0x0800, 0x0806, 0x86DD
VLAN_TAGS = (0x8100, 0x88A8, 0x9100)  # 802.1Q, its service tag (802.1ad), and that's forerunner
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
FRAGMENT = 44  # header of a piece of an IPv6 packet
ECHO_REPLY, UNREACHABLE = 0, 3  # types of ICMP
ARP_REPLY = 2

_LOAD_HALF, _LOAD_BYTE = 0x28, 0x30
_EQUAL, _RETURN = 0x15, 0x06
_LOAD_INDEX_IP, _LOAD_HALF_INDEXED, _LOAD_BYTE_INDEXED = 0xB1, 0x48, 0x50
_WHOLE = 0x40000
_KEEP, _DROP = -1, -2  # where a test leads, other than so many steps further on

_ETHER_TYPE: Instruction = (_LOAD_HALF, 0, 0, 12)
_ARP_OPERATION: Instruction = (_LOAD_HALF, 0, 0, 20)
_IPV4_PROTOCOL: Instruction = (_LOAD_BYTE, 0, 0, 23)
_IPV6_NEXT: Instruction = (_LOAD_BYTE, 0, 0, 20)  # a hop-by-hop header before it is no answer
# behind an IPv4 head of any length
_PORT6: Instruction = (_LOAD_HALF, 0, 0, 56)  # where no other header stands before UDP
_NEXT_IN_PIECE6: Instruction = (_LOAD_BYTE, 0, 0, 54)
_PORT_IN_PIECE6: Instruction = (_LOAD_HALF, 0, 0, 64)
_TARGET_PORT: Program = ((_LOAD_INDEX_IP, 0, 0, 14), (_LOAD_HALF_INDEXED, 0, 0, 16))
_ICMP_TYPE: Program = ((_LOAD_INDEX_IP, 0, 0, 14), (_LOAD_BYTE_INDEXED, 0, 0, 14))


def _is(value: int, then: int = 0, otherwise: int = _DROP) -> Instruction:
    return _EQUAL, then, otherwise, value


def _program(*steps: Instruction) -> Program:
    """Close a program: who comes to its end is kept; _KEEP and _DROP become jumps."""
    ends = {_KEEP: len(steps), _DROP: len(steps) + 1}

    def jump(target: int, at: int) -> int:
        return ends[target] - at - 1 if target in ends else target

    made = ((code, jump(yes, at), jump(no, at), k) for at, (code, yes, no, k) in enumerate(steps))
    return (*made, (_RETURN, 0, 0, _WHOLE), (_RETURN, 0, 0, 0))


_IPV4: Program = (_ETHER_TYPE, _is(ETH_P_IP), _IPV4_PROTOCOL)

NOTHING: Program = ((_RETURN, 0, 0, 0),)
# The kernel takes the outer tag off before this looks; of two tags the inner one stands there.
_TAGGED_TYPE: Instruction = (_LOAD_HALF, 0, 0, 16)
_TAGGED_OPERATION: Instruction = (_LOAD_HALF, 0, 0, 24)
ARP_REPLIES = _program(
    _ETHER_TYPE,
    _is(ETH_P_ARP, 0, 2),
    _ARP_OPERATION,
    _is(ARP_REPLY, _KEEP),
    *(_is(tag, len(VLAN_TAGS) - 1 - at, 0) for at, tag in enumerate(VLAN_TAGS[:-1])),
    _is(VLAN_TAGS[-1]),
    _TAGGED_TYPE,
    _is(ETH_P_ARP),
    _TAGGED_OPERATION,
    _is(ARP_REPLY),
)
ICMPV6_ONLY = _program(_ETHER_TYPE, _is(ETH_P_IPV6), _IPV6_NEXT, _is(ICMPV6))
# What devices say of their own accord: ARP, IPv6 whole (neighbours, mDNS), UDP over IPv4.
TALK = _program(
    _ETHER_TYPE,
    _is(ETH_P_ARP, _KEEP, 0),
    _is(ETH_P_IPV6, _KEEP, 0),
    _is(ETH_P_IP),
    _IPV4_PROTOCOL,
    _is(UDP),
)
ECHOES_OR_ERRORS = _program(
    *_IPV4, _is(ICMP), *_ICMP_TYPE, _is(ECHO_REPLY, _KEEP, 0), _is(UNREACHABLE)
)


def segments(port: int) -> Program:
    """Let only TCP segments to a port of ours through."""
    return _program(*_IPV4, _is(TCP), *_TARGET_PORT, _is(port))


def segments_or_errors(port: int) -> Program:
    """Let TCP segments to a port of ours through, and what routers say cannot be reached."""
    to_port = (*_TARGET_PORT, _is(port, _KEEP))
    return _program(
        *_IPV4,
        _is(TCP, 0, len(to_port)),
        *to_port,
        _is(ICMP),
        *_ICMP_TYPE,
        _is(UNREACHABLE),
    )


def datagrams(*ports: int) -> Program:
    """Let UDP datagrams over IPv4 to ports of ours through."""
    *others, last = ports
    return _program(
        *_IPV4, _is(UDP), *_TARGET_PORT, *(_is(port, _KEEP, 0) for port in others), _is(last)
    )


def datagrams6(*ports: int) -> Program:
    """Let UDP datagrams over IPv6 to ports of ours through, and first pieces of such."""
    *others, last = ports
    to_port = (*(_is(port, _KEEP, 0) for port in others), _is(last, _KEEP))
    whole = (_PORT6, *to_port)
    return _program(
        _ETHER_TYPE,
        _is(ETH_P_IPV6),
        _IPV6_NEXT,
        _is(UDP, 0, len(whole)),
        *whole,
        _is(FRAGMENT),
        _NEXT_IN_PIECE6,
        _is(UDP),
        _PORT_IN_PIECE6,
        *to_port,
    )
