//! The same driver under a real clock, with a thread for the NIC, one for the controller and one a worker: what virtual
//! time cannot show is that the hand-off between threads holds.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use avf_driver::{Clock, Control, Queue, Settings, Standing, Ticker};
use device::vfio_user::{Server, VfioUser};
use device::{Device, Local, Time};
use frame::{Ledger, RxQueue as _, RxStatus, Timestamp};
use model::{Model, Options, Persona, Reset};

use crate::udp;

struct Wall;

impl Clock for Wall {
    fn now(&mut self) -> Timestamp {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::new(now.as_secs(), now.subsec_nanos())
    }

    fn pause(&mut self, length: Duration) {
        if length.is_zero() { std::thread::yield_now() } else { std::thread::sleep(length) }
    }
}

struct Since(Instant);

impl Ticker for Since {
    fn now(&mut self) -> Duration {
        self.0.elapsed()
    }

    fn wait(&mut self, until: Duration) {
        std::thread::sleep(until.saturating_sub(self.0.elapsed()).min(Duration::from_millis(20)));
    }
}

/// Takes frames until the queue ends: how many, and what the queue says of itself.
fn worker(mut queue: Queue, lent: Arc<AtomicU64>) -> (u64, Ledger) {
    let mut ledger = Ledger::default();
    let mut mine = 0;
    loop {
        let batch = queue.burst().expect("no failure");
        mine += batch.frames.len() as u64;
        lent.fetch_add(batch.frames.len() as u64, Ordering::Relaxed);
        assert!(batch.frames.iter().all(|frame| crate::number_of(frame.data).is_some()));
        let is_over = batch.status == RxStatus::End;
        queue.account(&mut ledger);
        if is_over {
            return (mine, ledger);
        }
    }
}

#[test]
fn resets_under_load_tear_nothing() {
    for persona in [Persona::i40e(), Persona::ice()] {
        let model = model(persona);
        let device = Local::new(Arc::clone(&model), Time::Real);
        let witness = device.witness();
        under_load(&model, Box::new(device));
        assert_eq!(witness.strays(), []);
        assert_eq!((witness.mapped(), witness.freed_under_master()), (vec![], vec![]));
    }
}

#[test]
fn the_same_over_a_vfio_user_socket() {
    for persona in [Persona::i40e(), Persona::ice()] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("nic.sock");
        let model = model(persona);
        let mut server = Server::listen(&path, Arc::clone(&model)).unwrap();
        let strays = server.strays();
        let serving = std::thread::spawn(move || server.serve_one());
        let device = VfioUser::connect_within(&path, Duration::from_secs(5)).unwrap();
        under_load(&model, Box::new(device));
        serving.join().unwrap().unwrap();
        assert_eq!(strays.first(), []);
    }
}

fn model(persona: Persona) -> Arc<Mutex<Model>> {
    Arc::new(Mutex::new(Model::new(persona, Options::default())))
}

/// Six resets of three kinds while frames arrive; then the function is given back.
fn under_load(model: &Arc<Mutex<Model>>, device: Box<dyn Device>) {
    let begin = Instant::now();
    let over = Arc::new(AtomicBool::new(false));
    let nic = {
        let (model, over) = (Arc::clone(model), Arc::clone(&over));
        std::thread::spawn(move || {
            let mut number = 0;
            while !over.load(Ordering::Relaxed) {
                {
                    let mut model = model.lock().unwrap();
                    model.advance(begin.elapsed());
                    for _ in 0..8 {
                        model.receive(&udp(number));
                        number += 1;
                    }
                }
                std::thread::sleep(Duration::from_micros(200));
            }
        })
    };
    let mut control = Control::open(device, capture::vf::CHOICE, Settings::new(4), begin.elapsed()).unwrap();
    let mut ticker = Since(begin);
    control.bring_up(&mut ticker, Duration::from_secs(60)).unwrap();
    let lent = Arc::new(AtomicU64::new(0));
    let workers: Vec<_> = control
        .queues(&mut |_| Box::new(Wall))
        .into_iter()
        .map(|queue| {
            let lent = Arc::clone(&lent);
            std::thread::spawn(move || worker(queue, lent))
        })
        .collect();
    assert_eq!(workers.len(), 4);
    for round in 0..6 {
        run(&mut control, &mut ticker, Duration::from_millis(100));
        let kind = [Reset::Pf, Reset::Admin, Reset::Flr][round % 3];
        model.lock().unwrap().reset(kind);
        run(&mut control, &mut ticker, Duration::from_millis(60));
        let until = ticker.now() + Duration::from_secs(10);
        let before = lent.load(Ordering::Relaxed);
        while control.standing() != Standing::Up || lent.load(Ordering::Relaxed) == before {
            run(&mut control, &mut ticker, Duration::from_millis(5));
            assert!(ticker.now() < until, "round {round}: {control:?}");
        }
    }
    control.close(ticker.now());
    while control.standing() != Standing::Over {
        run(&mut control, &mut ticker, Duration::from_millis(5));
    }
    let mut ledger = Ledger::default();
    let mut sum = 0;
    for worker in workers {
        let (mine, its) = worker.join().unwrap();
        sum += mine;
        ledger.add(&its);
    }
    over.store(true, Ordering::Relaxed);
    nic.join().unwrap();
    assert_eq!(ledger.received, sum + ledger.lost_in_all());
    assert_eq!(ledger.absences, 6);
    assert_eq!(model.lock().unwrap().ledger.unclean, 0);
}

fn run(control: &mut Control, ticker: &mut Since, length: Duration) {
    let until = ticker.now() + length;
    while ticker.now() < until {
        let next = control.step(ticker.now()).next;
        ticker.wait(next.min(until));
    }
}
