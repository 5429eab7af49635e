//! The packet socket: every system call on it, by name.
#![expect(unsafe_code, reason = "the C interface of sockets, of their options and of interface requests")]

use std::ffi::CStr;
use std::io;
use std::mem::{MaybeUninit, size_of, size_of_val};
use std::os::fd::{AsFd as _, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use libc::{c_int, c_ulong, c_void, socklen_t};

/// Options of `SOL_PACKET` (`linux/if_packet.h`).
const PACKET_IGNORE_OUTGOING: c_int = 23;
const PACKET_FANOUT_DATA: c_int = 22;
const PACKET_TIMESTAMP: c_int = 17;

/// What ethtool asks by (`linux/ethtool.h`, `linux/sockios.h`).
const SIOCETHTOOL: c_ulong = 0x8946;
const ETHTOOL_GFLAGS: u32 = 0x25;
const ETH_FLAG_RXVLAN: u32 = 1 << 8;

/// Numbers that the C interface wants in 16 bits, and libc has in 32.
const AF_PACKET: u16 = 17;
const ETH_P_ALL: u16 = 3;
const PACKET_MR_PROMISC: u16 = 1;
/// `BPF_RET | BPF_K`: return a constant.
const RETURN: u16 = 6;

/// What PACKET_STATISTICS gives for TPACKET_V3, and forgets when read. Packets include drops.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Statistics {
    pub(super) packets: u32,
    pub(super) drops: u32,
    pub(super) freezes: u32,
}

/// What a wait ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waited {
    /// Something may be there.
    Ready,
    /// Time went by.
    Nothing,
    /// The socket has an error to tell.
    Error,
}

/// A packet socket.
#[derive(Debug)]
pub(super) struct Socket {
    fd: OwnedFd,
}

impl Socket {
    /// A raw packet socket that receives nothing before it is bound.
    pub(super) fn new() -> io::Result<Self> {
        // SAFETY: takes integers and touches no memory of ours.
        let fd = checked(unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) })?;
        // SAFETY: `fd` was opened a line above, is valid as it was checked, and nobody else owns it.
        Ok(Self { fd: unsafe { OwnedFd::from_raw_fd(fd) } })
    }

    pub(super) fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }

    pub(super) fn raw(&self) -> c_int {
        self.fd.as_raw_fd()
    }

    fn set<T>(&self, level: c_int, option: c_int, value: &T) -> io::Result<()> {
        let len = socklen_t::try_from(size_of_val(value)).unwrap_or_default();
        // SAFETY: `value` is readable for `len` bytes, which is its own size, for the length of the call; every `T`
        // used in this file is a C struct or an integer without padding that matters.
        checked(unsafe {
            libc::setsockopt(self.raw(), level, option, std::ptr::from_ref(value).cast(), len)
        })?;
        Ok(())
    }

    fn get<T: Default>(&self, level: c_int, option: c_int) -> io::Result<T> {
        let mut value = T::default();
        let mut len = socklen_t::try_from(size_of::<T>()).unwrap_or_default();
        let into = std::ptr::from_mut(&mut value).cast::<c_void>();
        // SAFETY: `into` is writable for `len` bytes, the size of `value`; the kernel writes no more than that; and
        // every `T` used in this file is made of integers, so that any bytes are a valid value.
        checked(unsafe { libc::getsockopt(self.raw(), level, option, into, &mut len) })?;
        Ok(value)
    }

    pub(super) fn version_3(&self) -> io::Result<()> {
        self.set(libc::SOL_PACKET, libc::PACKET_VERSION, &(libc::tpacket_versions::TPACKET_V3 as c_int))
    }

    /// Asks for the time of arrival in place of the time of copying.
    pub(super) fn arrival_times(&self) -> io::Result<()> {
        self.set(libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &1_i32)
    }

    /// Asks for the NIC's own time of arrival where a frame has one, before the ring is made.
    pub(super) fn nic_times(&self) -> io::Result<()> {
        // The kernel takes in what the NIC stamps only for sockets that ask for it (`linux/net_tstamp.h`).
        let wanted = libc::SOF_TIMESTAMPING_RX_HARDWARE | libc::SOF_TIMESTAMPING_RAW_HARDWARE;
        self.set(libc::SOL_SOCKET, libc::SO_TIMESTAMPING, &wanted)?;
        self.set(libc::SOL_PACKET, PACKET_TIMESTAMP, &libc::SOF_TIMESTAMPING_RAW_HARDWARE)
    }

    pub(super) fn ring(&self, request: &libc::tpacket_req3) -> io::Result<()> {
        self.set(libc::SOL_PACKET, libc::PACKET_RX_RING, request)
    }

    /// Lets nothing in: what a filter refuses is counted nowhere.
    pub(super) fn shut(&self) -> io::Result<()> {
        // One instruction: return 0, the number of bytes to keep.
        let mut program = [libc::sock_filter { code: RETURN, jt: 0, jf: 0, k: 0 }];
        let filter = libc::sock_fprog { len: 1, filter: program.as_mut_ptr() };
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &filter)
    }

    /// Lets everything in again.
    pub(super) fn let_in(&self) -> io::Result<()> {
        self.set(libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &0_i32)
    }

    /// Lets in what a program in the kernel says.
    pub(super) fn filter(&self, program: BorrowedFd<'_>) -> io::Result<()> {
        self.set(libc::SOL_SOCKET, libc::SO_ATTACH_BPF, &program.as_raw_fd())
    }

    pub(super) fn bind(&self, index: c_int) -> io::Result<()> {
        let address = libc::sockaddr_ll {
            sll_family: AF_PACKET,
            sll_protocol: ETH_P_ALL.to_be(),
            sll_ifindex: index,
            sll_hatype: 0,
            sll_pkttype: 0,
            sll_halen: 0,
            sll_addr: [0; 8],
        };
        let len = socklen_t::try_from(size_of_val(&address)).unwrap_or_default();
        // SAFETY: `address` is readable for `len` bytes, its own size, for the length of the call.
        checked(unsafe { libc::bind(self.raw(), std::ptr::from_ref(&address).cast(), len) })?;
        Ok(())
    }

    /// Asks for every station's frames for as long as this socket is open.
    pub(super) fn promiscuous(&self, index: c_int) -> io::Result<()> {
        let request = libc::packet_mreq {
            mr_ifindex: index,
            mr_type: PACKET_MR_PROMISC,
            mr_alen: 0,
            mr_address: [0; 8],
        };
        self.set(libc::SOL_PACKET, libc::PACKET_ADD_MEMBERSHIP, &request)
    }

    pub(super) fn ignore_outgoing(&self) -> io::Result<()> {
        self.set(libc::SOL_PACKET, PACKET_IGNORE_OUTGOING, &1_i32)
    }

    /// Joins a fanout group, or makes one.
    pub(super) fn join(&self, id: u16, kind_and_flags: u16) -> io::Result<()> {
        let value = u32::from(id) | u32::from(kind_and_flags) << 16;
        self.set(libc::SOL_PACKET, libc::PACKET_FANOUT, &value)
    }

    /// Gives the group that this socket is in the program that deals out.
    pub(super) fn steer(&self, program: BorrowedFd<'_>) -> io::Result<()> {
        self.set(libc::SOL_PACKET, PACKET_FANOUT_DATA, &program.as_raw_fd())
    }

    /// The fanout group that this socket is in.
    pub(super) fn group(&self) -> io::Result<u16> {
        let value: u32 = self.get(libc::SOL_PACKET, libc::PACKET_FANOUT)?;
        Ok(u16::try_from(value & 0xffff).unwrap_or_default())
    }

    /// What was counted since this was last asked.
    pub(super) fn statistics(&self) -> io::Result<Statistics> {
        self.get(libc::SOL_PACKET, libc::PACKET_STATISTICS)
    }

    /// The error that a wait told of; asking clears it.
    pub(super) fn error(&self) -> io::Result<c_int> {
        self.get(libc::SOL_SOCKET, libc::SO_ERROR)
    }

    /// Waits for a block, no longer than `ms`.
    pub(super) fn wait(&self, ms: u32) -> io::Result<Waited> {
        let mut asked = libc::pollfd { fd: self.raw(), events: libc::POLLIN | libc::POLLERR, revents: 0 };
        let ms = c_int::try_from(ms).unwrap_or(c_int::MAX);
        // SAFETY: `asked` is one pollfd, writable for the length of the call, and the count is 1.
        match checked(unsafe { libc::poll(&mut asked, 1, ms) }) {
            Ok(0) => Ok(Waited::Nothing),
            Ok(_) if asked.revents & !libc::POLLIN != 0 => Ok(Waited::Error),
            Ok(_) => Ok(Waited::Ready),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(Waited::Nothing),
            Err(e) => Err(e),
        }
    }

    /// Number of an interface, in the namespace that this socket was made in.
    pub(super) fn index_of(&self, name: &str) -> io::Result<c_int> {
        let request = self.ask(libc::SIOCGIFINDEX, name)?;
        // SAFETY: SIOCGIFINDEX fills this member.
        Ok(unsafe { request.ifr_ifru.ifru_ifindex })
    }

    pub(super) fn is_up(&self, name: &str) -> io::Result<bool> {
        let request = self.ask(libc::SIOCGIFFLAGS, name)?;
        // SAFETY: SIOCGIFFLAGS fills this member.
        let flags = unsafe { request.ifr_ifru.ifru_flags };
        Ok(c_int::from(flags) & libc::IFF_UP != 0)
    }

    /// Hardware type of an interface: ARPHRD.
    pub(super) fn hardware_of(&self, name: &str) -> io::Result<u16> {
        let request = self.ask(libc::SIOCGIFHWADDR, name)?;
        // SAFETY: SIOCGIFHWADDR fills this member.
        Ok(unsafe { request.ifr_ifru.ifru_hwaddr.sa_family })
    }

    /// Whether an interface's driver takes VLAN tags out of frames.
    pub(super) fn hides_tags(&self, name: &str) -> io::Result<bool> {
        let mut value = [ETHTOOL_GFLAGS, 0];
        let mut request = Self::request(name);
        request.ifr_ifru.ifru_data = value.as_mut_ptr().cast();
        // SAFETY: `request` is an interface request with a name that ends; its data is a command and the word that the
        // kernel answers in, both of which outlive the call.
        checked(unsafe { libc::ioctl(self.raw(), SIOCETHTOOL as _, &mut request) })?;
        let [_, flags] = value;
        Ok(flags & ETH_FLAG_RXVLAN != 0)
    }

    fn ask(&self, what: c_ulong, name: &str) -> io::Result<libc::ifreq> {
        let mut request = Self::request(name);
        // SAFETY: `request` is an interface request, which all three requests made here read and fill; its name ends
        // with a zero byte.
        checked(unsafe { libc::ioctl(self.raw(), what as _, &mut request) })?;
        Ok(request)
    }

    fn request(name: &str) -> libc::ifreq {
        // SAFETY: an interface request is made of integers and bytes, for which zeros are valid.
        let mut request: libc::ifreq = unsafe { MaybeUninit::zeroed().assume_init() };
        // One byte is left for the end of the string; `check` refuses names that are longer.
        let room = request.ifr_name.len().saturating_sub(1);
        for (to, from) in request.ifr_name.iter_mut().zip(name.bytes().take(room)) {
            *to = from.cast_signed() as libc::c_char;
        }
        request
    }
}

/// Names of every interface of this thread's namespace.
pub(super) fn interfaces() -> Vec<String> {
    // SAFETY: no arguments; the list that comes back is ours and is given back below.
    let list = unsafe { libc::if_nameindex() };
    let mut names = Vec::new();
    if list.is_null() {
        return names;
    }
    let mut at = list;
    // SAFETY: the list ends with an entry whose name is null, and `at` moves on by one only before that entry.
    while let Some(name) = std::ptr::NonNull::new(unsafe { (*at).if_name }) {
        // SAFETY: a name in the list is a string with an end, valid until the list is given back.
        names.push(unsafe { CStr::from_ptr(name.as_ptr()) }.to_string_lossy().into_owned());
        // SAFETY: this entry was not the last one.
        at = unsafe { at.add(1) };
    }
    // SAFETY: `list` came from `if_nameindex` and is given back once; the names were copied.
    unsafe { libc::if_freenameindex(list) };
    names
}

/// Bytes of memory that this machine has.
pub(crate) fn memory() -> u64 {
    // SAFETY: takes an integer and touches no memory.
    let [pages, size] = [libc::_SC_PHYS_PAGES, libc::_SC_PAGESIZE].map(|name| unsafe { libc::sysconf(name) });
    u64::try_from(pages).unwrap_or_default().saturating_mul(u64::try_from(size).unwrap_or_default())
}

fn checked(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}
