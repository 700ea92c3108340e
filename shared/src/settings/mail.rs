//! Account life and mails: djoser's and Django's settings, by their names.

use secrecy::SecretString;

use super::{Rate, SettingsError, environment::Environment};

/// Which mails a change of an account is followed by, and how many are sent. The default is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailPolicy {
    /// `SEND_ACTIVATION_EMAIL`: who registers is inactive until they open the link of a mail, and who
    /// changes their address keeps the old one until then.
    pub activation: bool,
    /// `SEND_CONFIRMATION_EMAIL`: that the account is ready.
    pub confirmation: bool,
    /// `PASSWORD_CHANGED_EMAIL_CONFIRMATION`.
    pub password_changed: bool,
    /// `USERNAME_CHANGED_EMAIL_CONFIRMATION`.
    pub username_changed: bool,
    /// `EMAIL_CHANGED_EMAIL_CONFIRMATION`: to the address before.
    pub email_changed: bool,
    /// `SESSION_ENDED_EMAIL`: a session was ended since a replaced token of it was used again.
    pub session_ended: bool,
    /// `THROTTLE_RATE_MAIL`: mails that one source address asks for; 20/hour unless set.
    pub rate: Option<Rate>,
    /// `THROTTLE_RATE_MAIL_ACCOUNT`: mails that are asked for to one address; 5/hour unless set.
    pub rate_per_addressee: Option<Rate>,
}

impl MailPolicy {
    fn read(env: &Environment<'_>) -> Result<Self, SettingsError> {
        Ok(Self {
            activation: env.flag("SEND_ACTIVATION_EMAIL")?,
            confirmation: env.flag("SEND_CONFIRMATION_EMAIL")?,
            password_changed: env.flag("PASSWORD_CHANGED_EMAIL_CONFIRMATION")?,
            username_changed: env.flag("USERNAME_CHANGED_EMAIL_CONFIRMATION")?,
            email_changed: env.flag("EMAIL_CHANGED_EMAIL_CONFIRMATION")?,
            session_ended: env.flag("SESSION_ENDED_EMAIL")?,
            rate: env.rate("THROTTLE_RATE_MAIL", "20/hour")?,
            rate_per_addressee: env.rate("THROTTLE_RATE_MAIL_ACCOUNT", "5/hour")?,
        })
    }

    /// Whether a change is followed by any mail.
    fn sends_any(self) -> bool {
        self.activation
            || self.confirmation
            || self.password_changed
            || self.username_changed
            || self.email_changed
            || self.session_ended
    }
}

/// Account life. All flags are false unless said.
#[derive(Clone, Debug)]
pub struct AccountSettings {
    /// Which mails follow a change, and how many are sent.
    pub mails: MailPolicy,
    /// `SET_PASSWORD_RETYPE`: whether `re_new_password` is asked for.
    pub set_password_retype: bool,
    /// `PASSWORD_RESET_CONFIRM_RETYPE`, likewise.
    pub password_reset_confirm_retype: bool,
    /// `SET_USERNAME_RETYPE`: whether `re_new_username` is asked for.
    pub set_username_retype: bool,
    /// `USERNAME_RESET_CONFIRM_RETYPE`, likewise.
    pub username_reset_confirm_retype: bool,
    /// `PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND` or `USERNAME_RESET_SHOW_EMAIL_NOT_FOUND`: whether those
    /// who ask for a mail are told that nobody gets one.
    pub show_email_not_found: bool,
    /// `PASSWORD_RESET_TIMEOUT`: seconds for which a link is good; 259,200 (3 days) unless set.
    pub link_timeout: i64,
    /// `LOGOUT_ON_PASSWORD_CHANGE`: whether a new password ends the account's sessions and tokens;
    /// true unless set.
    pub logout_on_password_change: bool,
    /// `CHECK_REVOKE_TOKEN`: whether it ends all of them, that of the asker too.
    pub check_revoke_token: bool,
    /// `USER_CREATE_PASSWORD_RETYPE`: whether a registration asks for `password2`; true unless set.
    pub user_create_password_retype: bool,
    /// `HIDE_USERS`: whether other users are not found by those who may not see or change them, in
    /// place of a refusal.
    pub hide_users: bool,
    /// `ACCOUNT_PAGES`: whether the pages under `/account/` are served, which the links of mails then
    /// lead to.
    pub pages: bool,
    /// Where the links of mails lead; none if the service sends no mail.
    pub links: Option<LinkSettings>,
}

/// Where the links of mails lead: `{protocol}://{domain}/{url}`, of which a url has the places `{uid}`
/// and `{token}`.
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// `EMAIL_FRONTEND_PROTOCOL`: `https` unless set.
    pub protocol: String,
    /// `EMAIL_FRONTEND_DOMAIN`, else `DOMAIN`. With it, the service sends mails.
    pub domain: String,
    /// `EMAIL_FRONTEND_SITE_NAME`, else `SITE_NAME`, else the domain.
    pub site_name: String,
    /// `PASSWORD_RESET_CONFIRM_URL`; the page for it unless set.
    pub password_reset: String,
    /// `USERNAME_RESET_CONFIRM_URL`; without it nobody can ask for such a mail.
    pub username_reset: Option<String>,
    /// `ACTIVATION_URL`; the page for it unless set.
    pub activation: Option<String>,
}

/// How mails are sent: Django's settings.
#[derive(Clone, Debug)]
pub struct SenderSettings {
    /// `EMAIL_BACKEND`; unless set, `smtp` where `EMAIL_HOST` is set, else `ses`.
    pub backend: EmailBackend,
    /// `DEFAULT_FROM_EMAIL`: an address, or a name and an address; `webmaster@localhost` unless set.
    pub from: String,
    /// `EMAIL_HOST`; `localhost` unless set.
    pub host: String,
    /// `EMAIL_PORT`; 25 unless set.
    pub port: u16,
    /// `EMAIL_HOST_USER`; empty unless set, and then nobody logs in.
    pub user: String,
    /// `EMAIL_HOST_PASSWORD`.
    pub password: SecretString,
    /// `EMAIL_USE_TLS`: STARTTLS.
    pub use_tls: bool,
    /// `EMAIL_USE_SSL`: TLS from the start.
    pub use_ssl: bool,
    /// `EMAIL_TIMEOUT` in seconds; 10 unless set.
    pub timeout: u64,
    /// `EMAIL_FILE_PATH`: the directory of [`EmailBackend::File`].
    pub file_path: Option<String>,
    /// `AWS_ENDPOINT_URL_SESV2`, else `AWS_ENDPOINT_URL`; AWS's own unless set.
    pub ses_endpoint: Option<String>,
}

/// `EMAIL_BACKEND`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailBackend {
    /// `ses`: Amazon SES, the default of functions.
    Ses,
    /// `smtp`: a server of Internet mail (RFC 5321).
    Smtp,
    /// `console`: written to standard output.
    Console,
    /// `file`: an `.eml` file each.
    File,
}

/// The page that the link of a password reset leads to.
const RESET_PAGE: &str = "account/reset/{uid}/{token}/";
/// The page that the link of an activation leads to.
const ACTIVATION_PAGE: &str = "account/activate/{uid}/{token}/";

impl AccountSettings {
    pub(super) fn read(env: &Environment<'_>) -> Result<Self, SettingsError> {
        let mails = MailPolicy::read(env)?;
        let pages = env.flag("ACCOUNT_PAGES")?;
        let links = LinkSettings::read(env, pages, mails.activation)?;
        if links.is_none() && (mails.sends_any() || pages) {
            let text = "EMAIL_FRONTEND_DOMAIN is not set, and mails have links to it";
            return Err(SettingsError::new(text));
        }
        // djoser's default is a model of authtoken's, and `None` is for shops with JWTs.
        if env.get("TOKEN_MODEL").is_some_and(|model| model != "None") {
            let text = "TOKEN_MODEL is not None, and there are no tokens but JWTs";
            return Err(SettingsError::new(text));
        }
        Ok(Self {
            mails,
            set_password_retype: env.flag("SET_PASSWORD_RETYPE")?,
            password_reset_confirm_retype: env.flag("PASSWORD_RESET_CONFIRM_RETYPE")?,
            set_username_retype: env.flag("SET_USERNAME_RETYPE")?,
            username_reset_confirm_retype: env.flag("USERNAME_RESET_CONFIRM_RETYPE")?,
            show_email_not_found: env.flag("PASSWORD_RESET_SHOW_EMAIL_NOT_FOUND")?
                | env.flag("USERNAME_RESET_SHOW_EMAIL_NOT_FOUND")?,
            link_timeout: env.seconds("PASSWORD_RESET_TIMEOUT", 1, 259_200)?,
            logout_on_password_change: env.flag_or("LOGOUT_ON_PASSWORD_CHANGE", true)?,
            check_revoke_token: env.flag("CHECK_REVOKE_TOKEN")?,
            user_create_password_retype: env.flag_or("USER_CREATE_PASSWORD_RETYPE", true)?,
            hide_users: env.flag("HIDE_USERS")?,
            pages,
            links,
        })
    }
}

impl LinkSettings {
    fn read(
        env: &Environment<'_>,
        pages: bool,
        activates: bool,
    ) -> Result<Option<Self>, SettingsError> {
        let (domain, other) = (env.get("EMAIL_FRONTEND_DOMAIN"), env.get("DOMAIN"));
        let url = |name, page: Option<&str>| {
            let url = env.get(name).or_else(|| page.map(str::to_owned));
            let has_places = |url: &String| url.contains("{uid}") && url.contains("{token}");
            match url {
                Some(url) if !has_places(&url) => Err(SettingsError::new(format!(
                    "{name} lacks {{uid}} or {{token}}"
                ))),
                // Django's names have no slash at the beginning.
                url => Ok(url.map(|url| url.trim_start_matches('/').to_owned())),
            }
        };
        let missing = |name| SettingsError::new(format!("{name} is not set"));
        let page = |page| pages.then_some(page);
        let password_reset = url("PASSWORD_RESET_CONFIRM_URL", page(RESET_PAGE))?;
        let activation = url("ACTIVATION_URL", page(ACTIVATION_PAGE))?;
        let username_reset = url("USERNAME_RESET_CONFIRM_URL", None)?;
        let protocol = env.get("EMAIL_FRONTEND_PROTOCOL");
        let (site_name, name) = (env.get("EMAIL_FRONTEND_SITE_NAME"), env.get("SITE_NAME"));
        let Some(domain) = domain.or(other) else {
            return Ok(None);
        };
        if activates && activation.is_none() {
            return Err(missing("ACTIVATION_URL"));
        }
        let protocol = protocol.unwrap_or_else(|| "https".to_owned());
        if !["http", "https"].contains(&protocol.as_str()) {
            let text = "EMAIL_FRONTEND_PROTOCOL is neither http nor https";
            return Err(SettingsError::new(text));
        }
        if domain.contains(|c: char| c.is_whitespace() || c.is_control() || "/?#@\\".contains(c)) {
            let text = "EMAIL_FRONTEND_DOMAIN is no domain, such as www.example.com";
            return Err(SettingsError::new(text));
        }
        let site_name = site_name.or(name);
        Ok(Some(Self {
            protocol,
            site_name: site_name.unwrap_or_else(|| domain.clone()),
            domain,
            password_reset: password_reset.ok_or_else(|| missing("PASSWORD_RESET_CONFIRM_URL"))?,
            username_reset,
            activation,
        }))
    }

    /// A link: one of the urls, with a user's uid and a token in its places.
    pub fn link(&self, url: &str, uid: &str, token: &str) -> String {
        let path = url.replace("{uid}", uid).replace("{token}", token);
        format!("{}://{}/{path}", self.protocol, self.domain)
    }
}

impl SenderSettings {
    pub(super) fn read(env: &Environment<'_>) -> Result<Self, SettingsError> {
        let backend = match env.get("EMAIL_BACKEND").as_deref() {
            None if env.get("EMAIL_HOST").is_some() => EmailBackend::Smtp,
            None | Some("ses") => EmailBackend::Ses,
            Some("smtp") => EmailBackend::Smtp,
            Some("console") => EmailBackend::Console,
            Some("file") => EmailBackend::File,
            Some(_) => {
                let text = "EMAIL_BACKEND is not one of ses, smtp, console, file";
                return Err(SettingsError::new(text));
            }
        };
        let text = |name, default: &str| env.get(name).unwrap_or_else(|| default.to_owned());
        let (use_tls, use_ssl) = (env.flag("EMAIL_USE_TLS")?, env.flag("EMAIL_USE_SSL")?);
        if use_tls && use_ssl {
            let text = "EMAIL_USE_TLS and EMAIL_USE_SSL are both true";
            return Err(SettingsError::new(text));
        }
        let file_path = env.get("EMAIL_FILE_PATH");
        if backend == EmailBackend::File && file_path.is_none() {
            return Err(SettingsError::new("EMAIL_FILE_PATH is not set"));
        }
        let endpoint = env.get("AWS_ENDPOINT_URL_SESV2");
        Ok(Self {
            backend,
            from: text("DEFAULT_FROM_EMAIL", "webmaster@localhost"),
            host: text("EMAIL_HOST", "localhost"),
            port: env.number("EMAIL_PORT", "a port", 1..=65_535, 25)?,
            user: text("EMAIL_HOST_USER", ""),
            password: text("EMAIL_HOST_PASSWORD", "").into(),
            use_tls,
            use_ssl,
            timeout: env.number("EMAIL_TIMEOUT", "seconds", 1..=600, 10)?,
            file_path,
            ses_endpoint: endpoint.or_else(|| env.get("AWS_ENDPOINT_URL")),
        })
    }
}
