use super::*;

/// The example of RFC 7677, section 3.
const NONCE: &str = "rOprNGfwEbeRWgbNEkqO";
const CHALLENGE: &str = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
const LAST: &str = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

fn begun(hash: Hash) -> Scram {
    Scram::with_nonce(hash, Credentials::new("user", "pencil"), NONCE.to_owned())
}

#[test]
fn the_example_of_the_rfc() {
    let login = begun(Hash::Sha256);
    assert_eq!(login.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    let proven = login.prove(CHALLENGE).unwrap();
    assert_eq!(
        proven.message(),
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,\
         p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    );
    proven.verify(LAST).unwrap();
}

#[test]
fn a_broker_that_does_not_know_the_password_is_found_out() {
    let verify = |last: &str| begun(Hash::Sha256).prove(CHALLENGE).unwrap().verify(last);
    assert_eq!(
        verify("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
        Err(ScramError::Signature)
    );
    assert_eq!(verify("v="), Err(ScramError::Signature));
    assert_eq!(verify("e=invalid-proof"), Err(ScramError::Refused));
    for malformed in ["", "x", "v=%"] {
        assert_eq!(verify(malformed), Err(ScramError::Malformed));
    }
    let other_hash = begun(Hash::Sha512).prove(CHALLENGE).unwrap();
    assert_eq!(other_hash.verify(LAST), Err(ScramError::Signature));
}

#[test]
fn challenges_that_are_not_for_us_are_not_answered() {
    let prove = |challenge: &str| begun(Hash::Sha256).prove(challenge).map(|_| ()).unwrap_err();
    assert_eq!(prove(&CHALLENGE.replace("r=rO", "r=xO")), ScramError::Nonce);
    assert_eq!(prove(&format!("r={NONCE},s=AA==,i=4096")), ScramError::Nonce);
    assert_eq!(prove(&CHALLENGE.replace("4096", "4095")), ScramError::Iterations(4095));
    assert_eq!(
        prove(&CHALLENGE.replace("4096", "1000001")),
        ScramError::Iterations(1_000_001)
    );
    assert_eq!(prove(&format!("m=x,{CHALLENGE}")), ScramError::Extension);
    for malformed in [
        "",
        "r=",
        "r=a,s=b",
        "s=AA==,r=a,i=4096",
        "r=a,s=%,i=4096",
        "r=a,s=AA==,i=-1",
    ] {
        assert_eq!(prove(malformed), ScramError::Malformed, "{malformed}");
    }
}

#[test]
fn users_with_commas_are_escaped_and_nonces_differ() {
    let begin = || Scram::new(Hash::Sha512, Credentials::new("a=b,c", "p"));
    assert!(begin().first().starts_with("n,,n=a=3Db=2Cc,r="));
    assert_ne!(begin().nonce, begin().nonce);
}
