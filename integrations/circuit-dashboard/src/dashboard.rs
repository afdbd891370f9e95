//! The dashboard and its settings.

use std::sync::Arc;

use http::request::Parts;

use crate::access::{Actor, Denied, Limit, Token};
use crate::fleet::FleetStatus;
use crate::orders::{Action, Book};
use crate::settings::Settings;
use crate::stream::Hub;

/// A page with all circuit breakers of the program, as a
/// [`Service`](tower_service::Service) of HTTP.
///
/// Clones share the limit on orders and what is known of orders, and the streams as long as their
/// settings are the same.
///
/// It needs a runtime of tokio, as servers have.
///
/// # Examples
///
/// ```
/// use axum::Router;
/// use circuit_dashboard::Dashboard;
///
/// let dashboard = Dashboard::new().service_name("shop").host("shop.internal");
/// let router: Router = Router::new().nest_service("/circuits", dashboard);
/// # let _ = router;
/// ```
#[derive(Clone, Debug)]
pub struct Dashboard {
    pub(crate) settings: Arc<Settings>,
    pub(crate) shared: Arc<Shared>,
    /// The streams of all clones with these settings.
    pub(crate) hub: Arc<Hub>,
}

/// The state that all clones share.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    pub(crate) book: Arc<Book>,
    pub(crate) limit: Limit,
}

impl Dashboard {
    /// Creates a dashboard that is read-only, and refuses requests whose `Host` is not one of
    /// loopback. This is against other sites in a browser; it does not replace authentication.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::Dashboard;
    ///
    /// let dashboard = Dashboard::new();
    /// # let _ = dashboard;
    /// ```
    #[must_use]
    pub fn new() -> Self {
        Self {
            settings: Arc::new(Settings::new()),
            shared: Arc::default(),
            hub: Arc::default(),
        }
    }

    /// Sets the name that the page shows; by default, that of the program's file.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::Dashboard;
    ///
    /// let dashboard = Dashboard::new().service_name("shop");
    /// # let _ = dashboard;
    /// ```
    #[must_use]
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.settings_mut().service = name.into();
        self
    }

    /// Adds a host name or an IP address under which the dashboard is reached, without a port.
    ///
    /// `localhost` and the addresses of loopback need not be added, nor the address that
    /// [`serve`](Self::serve) listens on. A request for any other host is refused, because a page
    /// of another site may have its own name resolved to this machine. Behind a proxy, this is the
    /// name that the proxy passes on.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::Dashboard;
    ///
    /// let dashboard = Dashboard::new().host("shop.internal").host("10.0.0.5");
    /// # let _ = dashboard;
    /// ```
    #[must_use]
    pub fn host(mut self, host: impl AsRef<str>) -> Self {
        self.settings_mut().hosts.add(host.as_ref());
        self
    }

    /// Requires a token to read data and to give orders, and takes orders from those who have it.
    ///
    /// The page, its script and its style sheet are for everyone; the page asks for the token and
    /// keeps it in memory. It is compared in constant time. Generate at least 32 random characters.
    ///
    /// With [`controls`](Self::controls), too, an order needs both: the token, and the consent of
    /// the closure.
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::Dashboard;
    ///
    /// # fn main() {
    /// # let _ = || -> Result<(), std::env::VarError> {
    /// let dashboard = Dashboard::new().bearer_token(std::env::var("DASHBOARD_TOKEN")?);
    /// # let _ = dashboard;
    /// # Ok(())
    /// # };
    /// # }
    /// ```
    #[must_use]
    pub fn bearer_token(mut self, token: impl Into<String>) -> Self {
        self.settings_mut().token = Some(Token::new(token.into()));
        self
    }

    /// Takes orders that `decide` consents to. It gets the request, with all headers and the
    /// extensions that layers outside have set, and the order; it returns who gives the order, for
    /// the log and the page. If it panics, the order is denied.
    ///
    /// Only the dashboard's own page can send an order, and at most ten are carried out in a
    /// minute.
    ///
    /// # Examples
    ///
    /// Behind a proxy that authenticates its users and removes this header from their requests:
    ///
    /// ```
    /// use circuit_dashboard::{Actor, Dashboard, Denied};
    ///
    /// let dashboard = Dashboard::new().controls(|request, _| {
    ///     let user = request.headers.get("x-user").and_then(|user| user.to_str().ok());
    ///     user.map(Actor::new).ok_or_else(|| Denied::new("sign in first"))
    /// });
    /// # let _ = dashboard;
    /// ```
    #[must_use]
    pub fn controls(
        mut self,
        decide: impl Fn(&Parts, &Action) -> Result<Actor, Denied> + Send + Sync + 'static,
    ) -> Self {
        self.settings_mut().controls = Some(Arc::new(decide));
        self
    }

    /// Lets anyone read who reaches the address of [`serve`](Self::serve), even if that is not one
    /// of loopback.
    ///
    /// Orders still need [`controls`](Self::controls).
    ///
    /// # Examples
    ///
    /// ```
    /// use circuit_dashboard::Dashboard;
    ///
    /// let dashboard = Dashboard::new().allow_unauthenticated().host("10.0.0.5");
    /// # let _ = dashboard;
    /// ```
    #[must_use]
    pub fn allow_unauthenticated(mut self) -> Self {
        self.settings_mut().allows_unauthenticated = true;
        self
    }

    /// Shows the fleet that the breakers are shared with: its members, the votes to open a circuit,
    /// and the member that probes.
    ///
    /// The closure is called for each list and each update, once a second or more often while the
    /// page is open. It must return at once, from what is known: it may not ask the store.
    ///
    /// # Examples
    ///
    /// With a fleet of `circuit-redis`:
    ///
    /// ```
    /// use circuit_dashboard::{Dashboard, FleetCircuit, FleetSharing, FleetStatus};
    /// use circuit_redis::{CircuitStatus, Fleet, Sharing};
    ///
    /// let fleet = Fleet::builder("redis://127.0.0.1", "shop").build()?;
    /// let dashboard = Dashboard::new().fleet(move || {
    ///     let status = fleet.status();
    ///     let sharing = match status.sharing {
    ///         Sharing::Shared { .. } => FleetSharing::Shared,
    ///         Sharing::Degraded { since, .. } => FleetSharing::Degraded { since },
    ///         _ => FleetSharing::NotRunning,
    ///     };
    ///     let circuit = |it: &CircuitStatus| {
    ///         FleetCircuit::new(&*it.name).votes(it.votes).prober(it.prober.as_deref())
    ///     };
    ///     FleetStatus::new(sharing)
    ///         .members(status.members)
    ///         .last_sync(status.last_sync)
    ///         .circuits(status.circuits.iter().map(circuit))
    /// });
    /// # let _ = dashboard;
    /// # Ok::<(), circuit_redis::FleetError>(())
    /// ```
    #[must_use]
    pub fn fleet(mut self, read: impl Fn() -> FleetStatus + Send + Sync + 'static) -> Self {
        self.settings_mut().fleet = Some(Arc::new(read));
        self
    }

    pub(crate) fn settings_mut(&mut self) -> &mut Settings {
        if Arc::get_mut(&mut self.settings).is_none() {
            // A stream tells of the settings: it stays that of the clones that keep them.
            self.hub = Arc::default();
        }
        Arc::make_mut(&mut self.settings)
    }
}

impl Default for Dashboard {
    fn default() -> Self {
        Self::new()
    }
}
