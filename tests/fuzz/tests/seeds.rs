//! The committed inputs pass. Those that once failed are among them.

use std::fs;
use std::path::Path;

#[test]
fn every_seed_passes() {
    let targets: [(&str, fn(&[u8])); 8] = [
        ("accept", fuzz::accept),
        ("arguments", fuzz::arguments),
        ("attribute", fuzz::attribute),
        ("client", fuzz::client),
        ("derive", fuzz::derive),
        ("frames", fuzz::frames),
        ("grpc_timeout", fuzz::grpc_timeout),
        ("queries", fuzz::queries),
    ];
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bins = fs::read_dir(fuzz.join("targets")).expect("the targets").count();
    assert_eq!(bins, targets.len(), "each target has its seeds");
    for (name, target) in targets {
        let seeds = fs::read_dir(fuzz.join("seeds").join(name)).expect("the target's seeds");
        let seeds: Vec<_> = seeds.map(|seed| seed.expect("a seed").path()).collect();
        assert!(seeds.len() > 2, "{name} has {} seeds", seeds.len());
        for seed in seeds {
            eprintln!("{}", seed.display());
            target(&fs::read(&seed).expect("a seed's content"));
        }
    }
}
