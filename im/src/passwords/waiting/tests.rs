use super::*;

struct Desk {
    waiting: Waiting,
    now: Instant,
    next: u64,
}

impl Desk {
    fn new() -> Self {
        Self {
            waiting: Waiting::new(Room {
                running: 2,
                kept: 1,
                waiting: 60,
                per_network: 5,
            }),
            now: Instant::now(),
            next: 0,
        }
    }

    /// Returns who has to go.
    fn come(&mut self, kind: Kind, network: u8) -> (u64, Option<u64>) {
        let id = self.next;
        self.next += 1;
        let network = Some(IpAddr::from([10, 0, 0, network]));
        let waiter = Waiter { id, kind, network };
        (id, self.waiting.arrive(waiter))
    }

    fn serve(&mut self) -> Option<Waiter> {
        self.waiting.next(self.now)
    }

    /// The next one runs, alone and to its end.
    fn serve_one(&mut self) -> Option<Waiter> {
        let next = self.serve()?;
        self.waiting.ended(next.kind);
        Some(next)
    }
}

#[test]
fn one_network_has_a_few_places_and_the_longest_line_gives_way() {
    let mut desk = Desk::new();
    for _ in 0..5 {
        assert_eq!(desk.come(Kind::Login, 1).1, None);
    }
    let (sixth, gone) = desk.come(Kind::Login, 1);
    assert_eq!(gone, Some(sixth));
    for network in 2..13 {
        for _ in 0..5 {
            assert_eq!(desk.come(Kind::Login, network).1, None);
        }
    }
    let (stranger, gone) = desk.come(Kind::Login, 99);
    assert!(gone.is_some_and(|gone| gone != stranger), "{gone:?}");
    let (known, gone) = desk.come(Kind::Known, 1);
    assert_eq!(gone, Some(known), "its own network has its places");
    let (known, gone) = desk.come(Kind::Known, 98);
    assert!(gone.is_some_and(|gone| gone != known), "{gone:?}");
}

#[test]
fn a_stranger_is_next_however_many_wait_of_those_who_had_much() {
    let mut desk = Desk::new();
    for _ in 0..3 {
        for network in 1..=12 {
            desk.come(Kind::Login, network);
        }
        for _ in 0..12 {
            desk.serve_one().unwrap();
        }
    }
    for network in 1..=12 {
        for _ in 0..4 {
            desk.come(Kind::Login, network);
        }
    }
    let (stranger, _) = desk.come(Kind::Login, 99);
    assert_eq!(desk.serve_one().unwrap().id, stranger);
    // What was had long ago is forgotten: then whoever came first goes first.
    desk.now += HALF_LIFE * 200;
    desk.come(Kind::Login, 99);
    assert_eq!(
        desk.serve_one().unwrap().network,
        Some(IpAddr::from([10, 0, 0, 1]))
    );
}

#[test]
fn a_core_is_kept_for_known_networks() {
    let mut desk = Desk::new();
    for network in 1..=10 {
        desk.come(Kind::Login, network);
        desk.come(Kind::Registration, network);
    }
    assert!(desk.serve().is_some());
    assert_eq!(desk.serve(), None, "the other core is kept");
    let (known, _) = desk.come(Kind::Known, 77);
    assert_eq!(desk.serve().unwrap().id, known);
    desk.come(Kind::Known, 78);
    assert_eq!(desk.serve(), None, "both cores are taken");
    desk.waiting.ended(Kind::Login);
    assert_eq!(desk.serve().unwrap().kind, Kind::Known);
}

#[test]
fn registrations_come_after_logins_and_do_come() {
    let mut desk = Desk::new();
    let mut served = Vec::new();
    for network in 0..20 {
        desk.come(Kind::Registration, network);
        desk.come(Kind::Login, network + 100);
    }
    for _ in 0..20 {
        served.push(desk.serve_one().unwrap().kind);
    }
    let logins = served.iter().filter(|&&kind| kind == Kind::Login).count();
    assert_eq!(logins, 15, "{served:?}");
}

#[test]
fn networks_without_number_are_forgotten() {
    let mut desk = Desk::new();
    for network in 0..(NETWORKS as u32 * 2) {
        let network = Some(IpAddr::from(network.to_be_bytes()));
        let waiter = Waiter {
            id: u64::MAX,
            kind: Kind::Login,
            network,
        };
        desk.waiting.arrive(waiter);
        desk.serve_one().unwrap();
    }
    assert!(desk.waiting.had.len() <= NETWORKS);
}
