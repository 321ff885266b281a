// The first hour with Caseload, with a client generated from its OpenAPI document: a team, notes,
// queues, a dashboard, and a leaver. The README beside this file says how to run it.

import caseload.client.ApiClient;
import caseload.client.ApiException;
import caseload.client.api.ActionItemsApi;
import caseload.client.api.AuthApi;
import caseload.client.api.DashboardApi;
import caseload.client.api.GroupsApi;
import caseload.client.api.GroupsApi.APIListGroupsRequest;
import caseload.client.api.NotesApi;
import caseload.client.api.OffboardingApi;
import caseload.client.api.QueuesApi;
import caseload.client.api.QueuesApi.APIListQueueItemsRequest;
import caseload.client.api.QueuesApi.APIListQueuesRequest;
import caseload.client.api.ReportsApi;
import caseload.client.api.ReportsApi.APIListOrphanedWorkRequest;
import caseload.client.api.SubjectsApi;
import caseload.client.api.SubjectsApi.APIListSubjectTimelineRequest;
import caseload.client.api.UsersApi;
import caseload.client.api.UsersApi.APIReadMeRequest;
import caseload.client.model.AssigneeRef;
import caseload.client.model.AssigneeType;
import caseload.client.model.DueInput;
import caseload.client.model.GroupView;
import caseload.client.model.NewActionItem;
import caseload.client.model.NewGroup;
import caseload.client.model.NewNote;
import caseload.client.model.NewUser;
import caseload.client.model.Offboarding;
import caseload.client.model.Problem;
import caseload.client.model.QueueView;
import caseload.client.model.Role;
import caseload.client.model.SignIn;
import caseload.client.model.Status;
import caseload.client.model.Subject;
import caseload.client.model.UserPatch;
import caseload.client.model.UserView;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;

public class FirstHour {
    static final Map<String, String> SETTINGS = System.getenv();
    static final String BASE = SETTINGS.getOrDefault("BASE", "http://127.0.0.1:8080");
    static final String STAFF_PASSWORD = SETTINGS.getOrDefault("STAFF_PASSWORD", UUID.randomUUID().toString());

    // --- Helpers ---------------------------------------------------------------------------------

    /** What one caller may ask; without a token, a stranger. */
    static final class Caller {
        final ActionItemsApi items;
        final AuthApi auth;
        final DashboardApi dashboard;
        final GroupsApi groups;
        final NotesApi notes;
        final OffboardingApi offboarding;
        final QueuesApi queues;
        final ReportsApi reports;
        final SubjectsApi subjects;
        final UsersApi users;

        Caller(String token) {
            ApiClient client = new ApiClient();
            client.updateBaseUri(BASE);
            // Caseload itself speaks HTTP/1.1; else every request would ask for HTTP/2 in vain.
            client.setHttpClientBuilder(HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1));
            client.setConnectTimeout(Duration.ofSeconds(3));
            client.setReadTimeout(Duration.ofSeconds(10));
            if (token != null) {
                client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));
            }
            client.setResponseInterceptor(response -> System.out.printf("  %d  %-5s %s%n",
                response.statusCode(), response.request().method(), response.uri().getPath()));
            items = new ActionItemsApi(client);
            auth = new AuthApi(client);
            dashboard = new DashboardApi(client);
            groups = new GroupsApi(client);
            notes = new NotesApi(client);
            offboarding = new OffboardingApi(client);
            queues = new QueuesApi(client);
            reports = new ReportsApi(client);
            subjects = new SubjectsApi(client);
            users = new UsersApi(client);
        }
    }

    static Caller signIn(String email, String password) throws ApiException {
        return new Caller(new Caller(null).auth.createToken(new SignIn().email(email).password(password)).getAccessToken());
    }

    static void expect(boolean holds) {
        if (!holds) {
            throw new IllegalStateException("not what was expected");
        }
    }

    interface Request {
        Object ask() throws ApiException;
    }

    /** The problem that must come back, with this status and code. */
    static Problem refused(int status, String code, Request request) throws Exception {
        try {
            request.ask();
        } catch (ApiException refusal) {
            Problem problem = ApiClient.createDefaultObjectMapper().readValue(refusal.getResponseBody(), Problem.class);
            expect(refusal.getCode() == status && problem.getCode().equals(code));
            return problem;
        }
        throw new IllegalStateException("not refused with " + status + " " + code);
    }

    static void heading(String text) {
        System.out.println("\n" + text);
    }

    // Each POST takes an idempotency key, and most operations the version that is meant and whom one
    // acts for. All three may be null; so may every filter of a list, which a builder leaves out.

    static Caller admin;

    static GroupView makeGroup(String name) throws ApiException {
        return admin.groups.createGroup(new NewGroup().name(name), null, null);
    }

    static UserView hire(String email, String name, Role role, String timeZone) throws ApiException {
        NewUser user = new NewUser().email(email).name(name).role(role).timeZone(timeZone).password(STAFF_PASSWORD);
        return admin.users.createUser(user, null, null);
    }

    static AssigneeRef user(UserView user) {
        return new AssigneeRef().type(AssigneeType.USER).id(user.getId());
    }

    static AssigneeRef group(GroupView group) {
        return new AssigneeRef().type(AssigneeType.GROUP).id(group.getId());
    }

    static Subject subject(String type, String id) {
        return new Subject().type(type).id(id);
    }

    public static void main(String[] arguments) throws Exception {

        // --- The team ----------------------------------------------------------------------------

        heading("Sign in");
        admin = signIn(SETTINGS.getOrDefault("ADMIN_EMAIL", "admin@localhost"), SETTINGS.get("ADMIN_PASSWORD"));
        expect(admin.users.readMe(APIReadMeRequest.newBuilder().build()).getRole() == Role.ADMIN);

        heading("Groups: Customer Service is there from the first start");
        GroupView customerService = admin.groups
            .listGroups(APIListGroupsRequest.newBuilder().key("customer_service").build()).getData().get(0);
        GroupView shipping = makeGroup("Shipping");
        GroupView finance = makeGroup("Finance");
        GroupView sales = makeGroup("Sales");

        heading("People: two agents and a manager");
        UserView ana = hire("ana@shop.example", "Ana Ruiz", Role.AGENT, "Europe/Madrid");
        UserView ben = hire("ben@shop.example", "Ben Okafor", Role.AGENT, "Africa/Lagos");
        UserView claire = hire("claire@shop.example", "Claire Martin", Role.MANAGER, "Europe/Paris");

        heading("Memberships: a group can be given work once somebody is there to do it");
        admin.groups.addGroupMember(customerService.getId(), ana.getId(), null, null);
        admin.groups.addGroupMember(shipping.getId(), ben.getId(), null, null);
        admin.groups.addGroupMember(finance.getId(), claire.getId(), null, null);
        admin.groups.addGroupMember(sales.getId(), claire.getId(), null, null);
        Caller asAna = signIn(ana.getEmail(), STAFF_PASSWORD);
        Caller asBen = signIn(ben.getEmail(), STAFF_PASSWORD);
        Caller asClaire = signIn(claire.getEmail(), STAFF_PASSWORD);

        // --- Notes and action items --------------------------------------------------------------

        heading("Ana takes a call about order A-1001: a note and what follows from it, in one request");
        NewNote call = new NewNote()
            .subject(subject("order", "A-1001"))
            .title("Customer called and requested rush shipping")
            .body("From: buyer@customer.example\nSubject: Order A-1001\n\nCan it be here by Friday? My card was replaced last week.")
            .addActionItemsItem(new NewActionItem()
                .title("Call customer to get correct credit card expiration date")
                .dueIn("tomorrow")
                .assignee(user(ana)))
            .addActionItemsItem(new NewActionItem()
                .title("Follow up on shipping in 3 weeks")
                .dueIn("in_3_weeks")
                .assignee(group(shipping)));
        var first = asAna.notes.createNote(call, "rush-A-1001", null);
        expect(first.getActionItems().get(0).getAssignee().getType() == AssigneeType.USER);
        expect(first.getActionItems().get(1).getAssignee().getType() == AssigneeType.GROUP);

        heading("The same once more, as after a lost answer: nothing is written twice");
        var again = asAna.notes.createNoteWithHttpInfo(call, "rush-A-1001", null);
        expect(again.getData().getId().equals(first.getId()));
        expect(again.getHeaders().get("idempotency-replayed").equals(List.of("true")));

        heading("Notes on a vendor, a product and a domain");
        for (NewNote note : List.of(
            new NewNote().subject(subject("vendor", "V-17")).title("Vendor quoted $150 for international shipping"),
            new NewNote().subject(subject("product", "P-204")).title("Two customers asked for a larger size"),
            new NewNote().subject(subject("domain", "shop.example")).title("The certificate was renewed"))) {
            asAna.notes.createNote(note, null, null);
        }

        heading("An action item for whoever comes first");
        NewActionItem forAnybody = new NewActionItem()
            .subject(subject("product", "P-204"))
            .title("Take new photographs")
            .dueIn("today")
            .assignee(new AssigneeRef().type(AssigneeType.PUBLIC));
        UUID photographs = asAna.items.createActionItem(forAnybody, null, null).getId();

        // --- Queues ------------------------------------------------------------------------------

        heading("Ana's queues, and everything in her own");
        var queues = asAna.queues.listQueues(APIListQueuesRequest.newBuilder().build()).getData();
        expect(queues.stream().map(QueueView::getKey).toList().equals(List.of("mine", customerService.getId().toString(), "public")));
        var mine = asAna.queues
            .listQueueItems(APIListQueueItemsRequest.newBuilder().queue("mine").view("all").build()).getData();
        expect(mine.size() == 1 && mine.get(0).getTitle().equals("Call customer to get correct credit card expiration date"));

        heading("Ben takes the next item of Shipping");
        var item = asBen.queues.claimNextItem(shipping.getId().toString(), null, null);
        expect(item.getAssignee().getId().equals(ben.getId()));

        heading("Claire is too late, and is told who has it");
        Problem problem = refused(409, "already_claimed",
            () -> asClaire.items.claimActionItem(item.getId(), null, null, null));
        expect(problem.getAdditionalProperty("holder") instanceof Map<?, ?> holder && holder.get("name").equals("Ben Okafor"));

        heading("Ana takes the public item");
        asAna.items.claimActionItem(photographs, null, null, null);

        // --- Working on an item ------------------------------------------------------------------

        heading("Ben completes his item, reopens it, puts it off, and gives it back to Shipping");
        var completed = asBen.items.completeActionItem(item.getId(), null, null, null, null);
        expect(completed.getStatus() == Status.COMPLETED);
        var reopened = asBen.items.reopenActionItem(item.getId(), null, null, null, null);
        expect(reopened.getStatus() == Status.OPEN);
        var later = asBen.items.snoozeActionItem(item.getId(), new DueInput().dueIn("in_1_week"), null, null, null);
        expect(!Objects.equals(later.getDueAt(), item.getDueAt()));
        var released = asBen.items.releaseActionItem(item.getId(), null, null, null);
        expect(released.getAssignee().getId().equals(shipping.getId()));

        heading("Who did what about the order, and when");
        var timeline = asBen.subjects
            .listSubjectTimeline(APIListSubjectTimelineRequest.newBuilder().type("order").id("A-1001").build()).getData();
        expect(timeline.stream().anyMatch(
            entry -> entry.getEvent().equals("note.created") && entry.getActor().getName().equals("Ana Ruiz")));

        // --- Oversight ---------------------------------------------------------------------------

        heading("The dashboard is the managers'");
        expect(asClaire.dashboard.readDashboard(null, null, null).getUsers().size() == 4);
        refused(403, "missing_scope", () -> asAna.dashboard.readDashboard(null, null, null));

        heading("Ana leaves: not while she holds open work");
        refused(409, "open_work", () -> admin.users.updateUser(ana.getId(), new UserPatch().active(false), null, null));

        heading("Offboarding moves it all to Ben; nothing is left without an owner");
        var handedOver = asClaire.offboarding.offboardUser(
            ana.getId(), new Offboarding().reassignTo(user(ben)), null, null, null);
        expect(handedOver.getReassignedTo().getId().equals(ben.getId()));
        expect(asClaire.reports.listOrphanedWork(APIListOrphanedWorkRequest.newBuilder().build()).getData().isEmpty());

        heading("Done.");
    }
}
