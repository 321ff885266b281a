//! Who is asking: a person, an API key (perhaps acting for a person), or Caseload itself.

use std::{collections::BTreeSet, fmt, str::FromStr};

use chrono_tz::Tz;
use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};
use uuid::Uuid;

use super::{
    clock::Timestamp,
    error::{Code, Error, Result},
};

crate::choice! {
    /// What a person on staff may do; each role includes the ones before it (S0-21).
    Role {
        /// Everyday work.
        Agent = "agent",
        /// Also the dashboard, other people's work and campaigns.
        Manager = "manager",
        /// Also users, keys and set-up.
        Admin = "admin",
    }
}

macro_rules! scopes {
    ($($variant:ident $text:literal $role:ident $doc:literal;)*) => {
        /// What a credential may touch: `<resource>:read|write`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope { $(#[doc = $doc] $variant,)* }

        impl Scope {
            /// Every scope there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The scope as clients write it.
            #[must_use]
            pub const fn as_str(self) -> &'static str { match self { $(Self::$variant => $text,)* } }

            /// The least role whose people hold this scope.
            #[must_use]
            pub const fn least_role(self) -> Role { match self { $(Self::$variant => Role::$role,)* } }

            /// What the scope allows, in one sentence.
            #[must_use]
            pub const fn description(self) -> &'static str { match self { $(Self::$variant => $doc,)* } }
        }
    };
}

scopes! {
    ProfileRead "profile:read" Agent "Read one's own account.";
    ProfileWrite "profile:write" Agent "Change one's own account and password.";
    UsersRead "users:read" Agent "Read the staff and their groups.";
    UsersWrite "users:write" Admin "Create, change and deactivate staff.";
    UsersOffboard "users:offboard" Manager "Move everything a leaver holds and deactivate them.";
    UsersActAs "users:act_as" Admin "For API keys: act for a named person with X-Act-As.";
    GroupsRead "groups:read" Agent "Read groups and their members.";
    GroupsWrite "groups:write" Admin "Create and change groups and their members.";
    ApiKeysRead "api_keys:read" Admin "Read API keys, never their secrets.";
    ApiKeysWrite "api_keys:write" Admin "Create, change and revoke API keys.";
    PicklistsRead "picklists:read" Agent "Read picklists and their items.";
    PicklistsWrite "picklists:write" Admin "Change picklists, their items and order.";
    VariablesRead "variables:read" Agent "Read variables.";
    VariablesWrite "variables:write" Admin "Set up variables.";
    ContactsRead "contacts:read" Agent "Read contacts and their timelines.";
    ContactsWrite "contacts:write" Agent "Create, change, match and merge contacts.";
    NotesRead "notes:read" Agent "Read notes.";
    NotesWrite "notes:write" Agent "Write and correct notes.";
    ActionItemsRead "action_items:read" Agent "Read action items.";
    ActionItemsWrite "action_items:write" Agent "Create and work on action items.";
    IssuesRead "issues:read" Agent "Read issues.";
    IssuesWrite "issues:write" Agent "Open, change, close and merge issues.";
    InteractionsRead "interactions:read" Agent "Read interactions and their actions.";
    InteractionsWrite "interactions:write" Agent "Record and correct interactions.";
    WorkItemTypesRead "work_item_types:read" Agent "Read types of work items.";
    WorkItemTypesWrite "work_item_types:write" Admin "Set up types of work items.";
    RoutingRulesRead "routing_rules:read" Agent "Read and simulate routing rules.";
    RoutingRulesWrite "routing_rules:write" Admin "Set up routing rules and their order.";
    WorkItemsRead "work_items:read" Agent "Read work items and their histories.";
    WorkItemsWrite "work_items:write" Agent "Create and work on work items.";
    FormsRead "forms:read" Agent "Read the forms of web sites.";
    FormsWrite "forms:write" Admin "Set up the forms of web sites.";
    IntakeWrite "intake:write" Agent "Post to intake forms.";
    SourcesRead "sources:read" Admin
        "Read feeds of other sites, their runs and what could not be read, never their credentials.";
    SourcesWrite "sources:write" Admin
        "Set up feeds of other sites, run them, and retry or discard what could not be read.";
    ConnectorsRead "connectors:read" Admin "Read connectors to shops, never their credentials.";
    ConnectorsWrite "connectors:write" Admin "Set up connectors to shops, and run them.";
    QueuesRead "queues:read" Agent "Read one's own queues, one's groups' and the public one.";
    InboxRead "inbox:read" Agent "Read one's own inbox.";
    InboxWrite "inbox:write" Agent "Mark what lies in one's own inbox as read or unread.";
    HomeRead "home:read" Agent "Read the home page.";
    SubjectsRead "subjects:read" Agent "Read the timeline of a subject.";
    DashboardRead "dashboard:read" Manager "Read the open work of each person and group.";
    SearchRead "search:read" Agent "Search everything that the credential may read.";
    ReportsRead "reports:read" Manager "Read reports.";
    EventsRead "events:read" Agent "Read the change feed; set-up and access events need the admin role.";
    JobsRead "jobs:read" Agent "Watch long-running work.";
    JobsWrite "jobs:write" Agent "Cancel long-running work.";
}

impl Role {
    /// What its people may touch. Acting for others is for API keys alone.
    #[must_use]
    pub fn scopes(self) -> BTreeSet<Scope> {
        Scope::ALL
            .iter()
            .copied()
            .filter(|scope| scope.least_role() <= self && *scope != Scope::UsersActAs)
            .collect()
    }
}

impl PartialSchema for Scope {
    fn schema() -> RefOr<Schema> {
        let lines: Vec<String> =
            Self::ALL.iter().map(|scope| format!("- `{scope}`: {}", scope.description())).collect();
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(format!("What a credential may touch.\n\n{}", lines.join("\n"))))
            .enum_values(Some(Self::ALL.iter().map(|scope| scope.as_str())))
            .into()
    }
}

impl ToSchema for Scope {}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|scope| scope.as_str() == text).ok_or(())
    }
}

impl Serialize for Scope {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom(format_args!("{text:?} is no scope")))
    }
}

/// A person or key as others see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ActorRef {
    /// The id of the user or API key.
    pub id: Uuid,
    /// Its present name.
    pub name: String,
}

crate::choice! {
    /// What kind of credential acts.
    ActorKind {
        /// A person who signed in.
        User = "user",
        /// A program with an API key.
        ApiKey = "api_key",
        /// Caseload itself: set-up, the command line, background work.
        System = "system",
    }
}

/// What binds a publishable key: pages show it to everybody, so it opens next to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
pub struct Bounds {
    /// The keys of the forms that it may post to.
    pub forms: Vec<String>,
    /// The origins of the pages that may send it, as browsers write them.
    pub origins: Vec<String>,
}

/// Who is asking, with everything a rule needs to know about them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Which kind of credential this is.
    pub kind: ActorKind,
    /// The user or API key itself; nil for the system.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// The person an API key acts for.
    pub acting_for: Option<ActorRef>,
    /// The role of the person; what an API key without a person ranks as.
    pub role: Role,
    /// What this credential may touch.
    pub scopes: BTreeSet<Scope>,
    /// The groups of the person.
    pub groups: Vec<Uuid>,
    /// The zone in which "today" is meant.
    pub zone: Tz,
    /// The session behind an access token.
    #[serde(skip)]
    pub session: Option<Uuid>,
    /// The identity behind a token of an OpenID provider.
    #[serde(skip)]
    pub identity: Option<Uuid>,
    /// When the credential ends.
    #[serde(skip)]
    pub expires_at: Option<Timestamp>,
    /// What binds the credential, when it is one that everybody may see.
    #[serde(skip)]
    pub bounds: Option<Bounds>,
    /// The person whose the API key is.
    #[serde(skip)]
    pub key_owner: Option<Uuid>,
}

impl Actor {
    /// Caseload itself, allowed everything.
    #[must_use]
    pub fn system(zone: Tz) -> Self {
        Self {
            kind: ActorKind::System,
            id: Uuid::nil(),
            name: "Caseload".into(),
            acting_for: None,
            role: Role::Admin,
            scopes: Scope::ALL.iter().copied().collect(),
            groups: Vec::new(),
            zone,
            session: None,
            identity: None,
            expires_at: None,
            bounds: None,
            key_owner: None,
        }
    }

    /// Nobody: who uses the public operations.
    #[must_use]
    pub fn nobody() -> Self {
        Self { name: "nobody".into(), role: Role::Agent, scopes: BTreeSet::new(), ..Self::system(Tz::UTC) }
    }

    /// The person behind the request, if there is one.
    #[must_use]
    pub fn user(&self) -> Option<Uuid> {
        match self.kind {
            ActorKind::User => Some(self.id),
            ActorKind::ApiKey => self.acting_for.as_ref().map(|person| person.id),
            ActorKind::System => None,
        }
    }

    /// The person behind the request, or a refusal that says how a key gets one.
    pub fn person(&self) -> Result<Uuid> {
        self.user().ok_or_else(|| {
            Error::new(
                Code::NobodyActing,
                "This API key acts for nobody: send X-Act-As with a user's id, or name the assignee.",
            )
        })
    }

    /// Who did it: the person when there is one, else the key.
    #[must_use]
    pub fn author(&self) -> Uuid {
        self.user().unwrap_or(self.id)
    }

    /// Their name.
    #[must_use]
    pub fn author_name(&self) -> &str {
        self.acting_for.as_ref().map_or(&self.name, |person| &person.name)
    }

    /// Whether the actor sees to other people's work: managers, admins, and keys that stand for no person.
    #[must_use]
    pub fn is_manager(&self) -> bool {
        self.role >= Role::Manager
    }

    /// Whether the credential is a publishable key, which learns nothing about anybody.
    #[must_use]
    pub const fn is_publishable(&self) -> bool {
        self.bounds.is_some()
    }

    /// The person who answers for what the credential makes: whoever signed in, or whose the API key is.
    #[must_use]
    pub const fn owner(&self) -> Option<Uuid> {
        match self.kind {
            ActorKind::User => Some(self.id),
            ActorKind::ApiKey => self.key_owner,
            ActorKind::System => None,
        }
    }

    /// Whether a role is not beyond their own, so that they may give and take it. Programs have no role:
    /// theirs is what every scope of they have.
    #[must_use]
    pub fn has_role(&self, role: Role) -> bool {
        match self.kind {
            ActorKind::User | ActorKind::System => role <= self.role,
            ActorKind::ApiKey => role.scopes().is_subset(&self.scopes),
        }
    }

    /// Whether a role is a higher one than theirs, so that its people are not theirs to take out of service
    /// or to unlink. A program that has every scope of the role stands no lower.
    #[must_use]
    pub fn is_outranked_by(&self, role: Role) -> bool {
        role > self.role && !self.has_role(role)
    }

    /// Whether they may hand out a scope. People never hold `users:act_as`, but administrators may give it to
    /// a program.
    #[must_use]
    pub fn may_grant(&self, scope: Scope) -> bool {
        let for_programs =
            scope == Scope::UsersActAs && self.kind == ActorKind::User && self.role >= scope.least_role();
        self.scopes.contains(&scope) || for_programs
    }

    /// Refuses an actor without the scope.
    pub fn may(&self, scope: Scope) -> Result<()> {
        if self.scopes.contains(&scope) {
            return Ok(());
        }
        let detail = match self.kind {
            ActorKind::ApiKey => format!(
                "This needs the scope {scope}, which the API key or the person it acts for does not have."
            ),
            _ => format!(
                "This needs the scope {scope}, which the role {} and above have.",
                scope.least_role().as_str()
            ),
        };
        Err(Error::new(Code::MissingScope, detail).with("scope", scope.as_str()))
    }
}
