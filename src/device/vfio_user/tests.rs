use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::memory::Memory;
use super::{Server, VfioUser};
use crate::echo::Echo;
use crate::{Bus, Device, DeviceError, Registers, Stray, Strays};

const PAGE: u64 = 4096;

/// A served model in a thread, for one client.
struct Served {
    path: PathBuf,
    model: Arc<Mutex<Echo>>,
    strays: Strays,
    thread: JoinHandle<Result<(), DeviceError>>,
    _folder: tempfile::TempDir,
}

fn served() -> Served {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("nic.sock");
    let model = Arc::new(Mutex::new(Echo::default()));
    let mut server = Server::listen(&path, Arc::clone(&model)).expect("a socket");
    let strays = server.strays();
    let thread = std::thread::spawn(move || server.serve_one());
    Served { path, model, strays, thread, _folder: folder }
}

fn turn(registers: &Registers, address: u64, bytes: u32) {
    registers.write(0, address as u32);
    registers.write(4, (address >> 32) as u32);
    registers.write(8, bytes);
}

fn said<T: std::fmt::Debug>(result: Result<T, DeviceError>) -> String {
    result.expect_err("an error").to_string()
}

#[test]
fn registers_memory_and_vectors_go_through_the_socket() {
    let served = served();
    let mut device = VfioUser::connect(&served.path).expect("connected");
    assert_eq!((device.identity().vendor, device.identity().device, device.vectors()), (0x8086, 0x154C, 40));
    let registers = device.registers().expect("registers");
    registers.write(0, 0xABCD);
    assert_eq!((registers.read(0), registers.read(2), registers.read(64)), (0xABCD, u32::MAX, u32::MAX));

    let block = device.dma(9000).expect("a block");
    assert_eq!(block.bytes() % PAGE as usize, 0);
    assert!(block.copy_in(8, b"shared memory"));
    turn(&registers, block.address() + 8, 13);
    let mut seen = [0; 13];
    assert!(block.copy_out(8, &mut seen));
    assert_eq!(&seen, b"yromem derahs");
    assert_eq!(served.strays.count(), 0);

    let lines = device.interrupts(40).expect("40 vectors, in three messages");
    registers.write(12, 39);
    registers.write(12, 16);
    assert!(lines[39].wait(Duration::from_secs(5)) && lines[16].wait(Duration::from_secs(5)));
    assert!(!lines[0].wait(Duration::ZERO));
    assert!(device.interrupts(41).is_err());
    drop(block);
    drop(device);
    drop(registers);
    served.thread.join().expect("no panic").expect("served");
}

#[test]
fn what_was_freed_is_stray_on_the_other_side() {
    let served = served();
    let mut device = VfioUser::connect(&served.path).expect("connected");
    let registers = device.registers().expect("registers");
    let block = device.dma(PAGE as usize).expect("a block");
    let address = block.address();
    turn(&registers, address + PAGE - 4, 8);
    drop(block);
    turn(&registers, address, 8);
    assert_eq!(registers.read(12), 0, "an answer: the writes have been seen");
    let expect = [address + PAGE - 4, address].map(|address| Stray { address, bytes: 8, write: false });
    assert_eq!(served.strays.first(), expect);
}

#[test]
fn mastering_and_reset_reach_the_model_and_a_client_that_leaves_resets_it() {
    let served = served();
    let mut device = VfioUser::connect(&served.path).expect("connected");
    let lines = device.interrupts(2).expect("vectors");
    let registers = device.registers().expect("registers");
    device.set_master(true).expect("set");
    assert_eq!(served.model.lock().expect("no panic").command, [4, 0]);
    device.reset().expect("reset");
    registers.write(12, 1);
    assert_eq!(registers.read(12), 0);
    assert!(!lines[1].wait(Duration::ZERO), "disconnected by the reset");
    assert_eq!(served.model.lock().expect("no panic").resets, 1);
    assert!(!device.is_leaving());
    drop((device, registers, lines));
    served.thread.join().expect("no panic").expect("served");
    let model = served.model.lock().expect("no panic");
    assert_eq!((model.resets, model.command), (2, [0, 0]));
}

#[test]
fn no_server_is_told_and_a_second_client_waits_no_longer_than_its_limit() {
    let nowhere = said(VfioUser::connect(Path::new("does-not-exist.sock")));
    assert!(nowhere.contains("is the device's server running"), "{nowhere}");

    let folder = tempfile::tempdir().expect("a folder");
    let left = folder.path().join("left.sock");
    drop(UnixListener::bind(&left).expect("a socket"));
    assert!(said(VfioUser::connect(&left)).contains("its server is not"));

    let served = served();
    let _first = VfioUser::connect(&served.path).expect("connected");
    let started = Instant::now();
    let busy = said(VfioUser::connect_within(&served.path, Duration::from_millis(200)));
    assert!(busy.contains("one client at a time"), "{busy}");
    assert!(started.elapsed() < Duration::from_secs(4));
    let taken = said(Server::listen(&served.path, Arc::clone(&served.model)));
    assert!(taken.contains("exists already"), "{taken}");
}

/// Plays a server that answers `answers` in turn, each after one message, and then does `end`.
fn scripted(
    answers: Vec<Vec<u8>>,
    end: impl FnOnce(std::os::unix::net::UnixStream) + Send + 'static,
) -> (PathBuf, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("odd.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        for answer in answers {
            let mut message = [0; 4096];
            let _ = stream.read(&mut message);
            let _ = stream.write_all(&answer);
        }
        end(stream);
    });
    (path, folder)
}

/// A header: message 0, a command, its size, flags.
fn header(command: u16, bytes: u32, flags: u32) -> Vec<u8> {
    [&0u16.to_le_bytes()[..], &command.to_le_bytes(), &bytes.to_le_bytes(), &flags.to_le_bytes(), &[0; 4]]
        .concat()
}

#[test]
fn answers_that_contradict_themselves_are_an_error() {
    let (path, _folder) = scripted(vec![[header(1, 3, 1), vec![0; 4]].concat()], |_| ());
    let error = said(VfioUser::connect_within(&path, Duration::from_secs(3)));
    assert!(error.contains("odd.sock"), "{error}");
}

#[test]
fn an_error_where_more_was_expected_ends_within_the_limit() {
    let capabilities = b"{\"capabilities\":{\"max_msg_fds\":1}}\0";
    let version =
        [header(1, 20 + capabilities.len() as u32, 1), vec![0, 0, 1, 0], capabilities.to_vec()].concat();
    let refusal = header(4, 16, 1 | 1 << 5);
    let (path, _folder) = scripted(vec![version, refusal], |stream| {
        std::thread::sleep(Duration::from_secs(3));
        drop(stream);
    });
    let started = Instant::now();
    let error = said(VfioUser::connect_within(&path, Duration::from_millis(200)));
    assert!(error.contains("no answer"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(2));
}

#[test]
fn a_server_that_dies_makes_the_device_gone() {
    let served = served();
    let mut device = VfioUser::connect_within(&served.path, Duration::from_secs(2)).expect("connected");
    let registers = device.registers().expect("registers");
    let block = device.dma(64).expect("a block");
    // The model panics in its thread, as a process that crashes: the socket closes.
    registers.write(16, 0);
    assert!(served.thread.join().is_err(), "it panicked");
    let started = Instant::now();
    assert_eq!(registers.read(0), u32::MAX);
    registers.write(0, 5);
    assert!(device.is_leaving());
    assert!(said(device.dma(64)).contains("gone"));
    assert!(matches!(device.reset(), Err(DeviceError::Gone(_))));
    drop((block, device));
    assert!(started.elapsed() < Duration::from_secs(1), "nothing waits for the dead");
}

fn file(bytes: u64) -> File {
    let file = tempfile::tempfile().expect("a file");
    file.set_len(bytes).expect("a length");
    file
}

#[test]
fn an_access_may_cross_pieces_that_adjoin() {
    let memory = Memory::default();
    let shared = file(8 * PAGE);
    for piece in 0..4u64 {
        let again = shared.try_clone().expect("a duplicate");
        // Every other page of the file, in reverse.
        memory.map(0x10_0000 + piece * PAGE, PAGE, Some((again, (6 - 2 * piece) * PAGE))).expect("mapped");
    }
    let bytes: Vec<u8> = (0..9000u32).map(|n| n as u8).collect();
    assert_eq!(memory.write(0x10_0000 + 100, &bytes), Ok(()));
    let mut seen = vec![0; bytes.len()];
    assert_eq!(memory.read(0x10_0000 + 100, &mut seen), Ok(()));
    assert_eq!(seen, bytes);
    assert!(memory.write(0x10_0000 + 4 * PAGE - 1, &[1, 2]).is_err());
    assert_eq!(memory.read(0x10_0000 + 4 * PAGE - 1, &mut seen[..1]), Ok(()));
    assert_eq!(seen[0], 0, "a stray write writes nothing");
}

#[test]
fn maps_that_cannot_be_are_refused() {
    let memory = Memory::default();
    assert!(memory.map(PAGE, 0, None).is_err());
    assert!(memory.map(u64::MAX - 8, PAGE, None).is_err());
    assert!(memory.map(PAGE, 2 * PAGE, Some((file(PAGE), 0))).is_err(), "the file is shorter");
    assert!(memory.map(PAGE, PAGE, Some((file(PAGE), u64::MAX - 7))).is_err());
    assert!(memory.map(PAGE, PAGE, Some((file(2 * PAGE), 3))).is_err());
    memory.map(PAGE, 4 * PAGE, Some((file(4 * PAGE), 0))).expect("mapped");
    assert!(memory.map(4 * PAGE, PAGE, None).is_err(), "taken");
    assert!(memory.unmap(PAGE, PAGE).is_err(), "a part");
    assert!(memory.unmap(2 * PAGE, 8 * PAGE).is_err(), "a part");
    assert!(memory.unmap(u64::MAX, 2).is_err());
    memory.unmap(0, 100 * PAGE).expect("all of it");
    assert!(memory.store(PAGE, 1).is_err());
}

#[test]
fn the_last_of_all_addresses_can_be_had() {
    let memory = Memory::default();
    let half = 1 << 63;
    memory.map(half - PAGE, PAGE, Some((file(PAGE), 0))).expect("below the middle");
    memory.map(u64::MAX - PAGE + 1, PAGE, Some((file(PAGE), 0))).expect("the last page");
    assert!(memory.map(u64::MAX - PAGE + 1, 8, None).is_err(), "taken");
    memory.write(u64::MAX - 7, &[5; 8]).expect("the last word");
    assert!(memory.write(u64::MAX - 7, &[5; 9]).is_err());
    memory.unmap(half, half).expect("the upper half of everything");
    memory.write(half - 8, &[5; 8]).expect("untouched");
    memory.unmap(0, half).expect("the lower half");
    assert!(memory.read(half - 8, &mut [0]).is_err());
}

#[test]
fn memory_that_is_not_shared_cannot_be_reached() {
    let memory = Memory::default();
    memory.map(0, PAGE, None).expect("a client's ROM");
    assert!(memory.read(0, &mut [0; 4]).is_err());
    assert_eq!(memory.strays.count(), 1);
}
