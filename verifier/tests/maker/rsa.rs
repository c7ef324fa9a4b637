//! The one key of RSA-4096 that is made for tests, and used nowhere else: making one takes long.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeyPairComponents, PublicKeyComponents};
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaPssSaltLength, RsaSignatureEncoding};
use evidence::hex::decode;
use std::sync::OnceLock;

/// RSASSA-PSS with SHA-256 and a salt of any length.
pub fn sign_pss(message: &[u8], salt: u16) -> Vec<u8> {
    let scheme: RsaSignatureEncoding = RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Custom(salt));
    sign(Box::leak(Box::new(scheme)), message)
}

/// RSASSA-PKCS1-v1_5 with SHA-256.
pub fn sign_pkcs1(message: &[u8]) -> Vec<u8> {
    sign(&RSA_PKCS1_SHA256, message)
}

/// The modulus, big-endian.
pub fn modulus() -> Vec<u8> {
    decode(N).expect("hexadecimal")
}

fn sign(scheme: &'static dyn RsaEncoding, message: &[u8]) -> Vec<u8> {
    let mut signature = vec![0; key().public_modulus_len()];
    key().sign(scheme, &SystemRandom::new(), message, &mut signature).expect("a signature");
    signature
}

fn key() -> &'static KeyPair {
    static KEY: OnceLock<KeyPair> = OnceLock::new();
    KEY.get_or_init(|| {
        let number = |text: &str| decode(text).expect("hexadecimal");
        let public_key = PublicKeyComponents { n: number(N), e: vec![1, 0, 1] };
        let components = KeyPairComponents {
            public_key,
            d: number(D),
            p: number(P),
            q: number(Q),
            dP: number(D_P),
            dQ: number(D_Q),
            qInv: number(Q_INVERSE),
        };
        KeyPair::from_components(&components).expect("a key")
    })
}

const N: &str = "\
    ba7f3bb740e8604d41c7328f4e2e7e15862245a9740f4c43dda5fe3c2f9f5931f4cb46220cde957caeb9332cd285a6a96f63dff4\
    86a02bc4f0a261f210c5fec2af93020c69e3a81c4f4b621bf3292219b05f31615ead12cb08387a6e15ee1f1b64992a42b2b8b51a\
    beb44e191cef56dbcbfbdd8f87734e37e265be41e34f8ff84b4799dc1a9716b775896878c87d3a3eb0e070ca8ba22f448f10b0c0\
    bf72cda2c501869190559620f7a64efe56e9b02d8e3f76ca69136f70a8cc8c8062f62ec1cfa61d33e34656915da738d7c0cfd58d\
    e842d831cb2be2f45f0c6b3786f163682f064efd01f9e9af8fbce10ec8844b12688fe85717e56521c914bd2b9214f0ce20af7b00\
    6ffd43c7881d431fd0c08384c9c7c4c3ead1c4525b69e3aa1fa95e99a1f5795aa4ab5930c4d64a1783a0c697ac6152cf46d99b9d\
    b4d4da28676b19848182f7c7fcf454076272bb9c1cfd43eb4105f9cd843a83e890b849882b0c0e26abb8105de57e4e53236eb172\
    c22d9aff5cdf7931f06ae88c06f8e3252e6ae448d3dbae7c47623c449ed24adea33726a53f123bbbfdcbcd8c8b0de0025e8d4318\
    f4d897cdbab32788c2a468834c4bb908d7cc1742b8f02e95ee46a25a343d33daa6142e3d68c7907a16fdfbd69ea08da892ae23e4\
    dba021960d70160905caf816dec173ba252ec245a99282363689beeacd6cbcfc15c47cb778fe353069a0d8ff";
const D: &str = "\
    0edd483dad6b380dc051e7aa3b61824425ea426224b17973294deb2b11e2a201d4d084d8feec98be94d0870f2a02640bba289c37\
    89a96783ad684be536c8092bac41cbd680741838956b5d38fc1309b84171fce6155d3713bea67dbf9b78dcbadab4488583682c6b\
    22cb0d347c3569576075452e04ee404c3cfbbe03d361ca88503bb73c2f545e87a5d31b64111ac6132c16df768d55926de4f74017\
    44cb1a2fc083041e430247527e5a9f8e2f10362e1359e49672748d9bcda06c0c6996d49836fc36f4a5473c6c1eaa4ee20768a94d\
    43b75c32efce222b370e2ed780a669b56a9616a29ccf35fc7bb8e2b9426b24eea52ddf275decb7384fa61b03c7836ac3e841de5b\
    a91c2f568b36997231380b28dc5052f97832e84dfc52a962337f01589ff75f9142c234b21481b926a78a3b5e1a0135550f1565a1\
    b029bd81a7c586e510c001c6e5f45ee270f2e0fde2fb6bc8b4a1e3c20932f84c2cba9a4165531091fc8a382b87a633c975b7aced\
    25173dac50c5396cb0f1cd5ae6c6ba93cf86b6391a8c446ff517125b54f80009b4117b3b90e3ef98b9fe7053cb579facc3bc5d16\
    b592a4fb050cad7839b7c0bd9d764fec2a4faf141a3ed3975db6c104e1cd7e2019c14fb3786b890d64a7a4e2454d8026efb1e2c5\
    54b81bd1f5769da25690654257eee79b557d849a3a7bbbc9f1aaa39642f1ebacd8b6bbb6e09f72a5711ff729";
const P: &str = "\
    e4c19d95e2c0e658f7eba80aa8f02e9b5f65585e2ba06a30bf1158d3cb192c498d657aace42d654cf7b1ae1968747d16c638aa8f\
    3ec122233f2fce895062af42ac9a43eb34bd0fc33891a638e4eca9447813c31c3c16cd1ae637f3c879e268b6c9f9337372939edf\
    34b41e22d77f1948aebef5f1039b23ce8df621fb788714040826e8f52d457af3867bb411e685bb2ef8b8eee911832f3a6f38d5b8\
    8b443236f0fecb03be73c987a7041a7921997cdfab435fb5a1020690d0417d2477d3320918f16971afaffd36216090be76306e11\
    1b954f25360e64f529173fdc7114b189bfe5f70e140b3108208dcd5687e0f870091c96b751ec8b5821c203ff4141a0c9";
const Q: &str = "\
    d0b5345b7559f1d21f83b043cde50b47afacaed0ad3660175647a605047f199b12df2aed72b0ff83fa6fedcb8b30751afd91efe9\
    c1413d5d42949e75584de6eea7e3f28683b00ed4b33c8ff2605c238d80108e469737384da70856241569c16b387517fbfa8398f3\
    1c85778219f4eb8bdf934eb1fef202e5ff375f88d51b92eb0be3dec7f09fe1d08d6171bd1f56f558e98670335e6b0e64bf99c980\
    ea88b68e20b32d93051bc91828585c7abb2dddd7f441186769f9ae77af9eecd16c376edc11d5306e4e2d94ef6ec9de2c1ebecf5d\
    d67a4fec3ee5d5b7ca38ae8723ee215db1d2f519cb424aa7a91f0f68e2cd142a05c18d13b65024435d4bdca80a7b1787";
const D_P: &str = "\
    47dbd64fde323069e43f5fc3317c79778f48fbb0614dfbeda227a5daaa23173967b4680be585a91bbb775234630eacb8b9bdd53e\
    383d5d26eb536e32ce50a1b3751ae498ff3120c17784b14d900413cc11584be313b129eef840bd50cd90e4c9feba4c82488cbccc\
    6af6e5bc962b33db1421a28a7a5282b600fc3f828a430c7393c7fd47ff57a31edab10348d83c4c279e3421c08f22c1743eba00d0\
    fed6865ba1eab8054e0f7b502493f268f8b809750d8c95852db5c0303f6b430f70a0a4481d50c089d8e194ce2b3ff5580f327970\
    e0544fcf65a2b1ee1d61534b412e79f2c6984bba5d6b829485fd6572782ea07c393084dbc35d660c62565b011513b399";
const D_Q: &str = "\
    23e99a49c686a49ac07b7b801f54b33d319868385625ce2115e29c49aebd641d9000c0b53d1001d7a6e74da6c19ba3faf1f903ac\
    5869ae7276bb760cc1161e8fa06a13d85b9e96deb8bcca142dca8cff9332c618957a96009ea64b9447eefbae4477b999cd4089b8\
    03875fca0e475ba4a4e3071e8fbcfb0cb27ec7bc96d6f8cfe32ae1b1cbd0e71d68c684b8c344c650f755ffc6870faad96132c83e\
    9b9cccb4e6218ecd068b026e5abae1a6e8c07ab4e73db0425334f87575cdc5f83f43c69aada2de838c86416375cfdca000e65a6e\
    4e329bc00e0ea458ccbe3621e0e7dfebec665d7083ce3364683085094a45799bc583c98fc3c6448726ed9fd9767c39cf";
const Q_INVERSE: &str = "\
    a6d430cff187ee858959c65f70f1546d8ba27e4d5fda406e55c8cd197ee972289043b59e4a8411bc7e0107834e3dfdce7d7743d4\
    2b3355bd6cc19236fa451aff5b196aeb9bbb986dddfea043c5ffd47050183cfd1c49d46636e022f0d6f54635ae3cfcbe94a2bb1c\
    b25f7e338138a62469374de2437778ac6f9c42d365360c1a69da30434a7a9a1c772e57249828374f19c5ce9c534e21d92108425f\
    6a9428ff7414eb9ceea5c5259fdad6e24cb6654e73d674183327cb63aa42a50dd724ade310611a4d704eb8477abd565acbc4539e\
    0cdc87c84d27aa14afb875cdae60ddef746f706c1acfe55c80a770d0d0473753178d1c6ff8477aa64ae109d1791a6e28";
