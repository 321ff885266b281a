<?php

// The first hour with Caseload, with a client generated from its OpenAPI document: a team, notes,
// queues, a dashboard, and a leaver. The README beside this file says how to run it.

declare(strict_types=1);

use Caseload\Client\Api\ActionItemsApi;
use Caseload\Client\Api\AuthApi;
use Caseload\Client\Api\DashboardApi;
use Caseload\Client\Api\GroupsApi;
use Caseload\Client\Api\NotesApi;
use Caseload\Client\Api\OffboardingApi;
use Caseload\Client\Api\QueuesApi;
use Caseload\Client\Api\ReportsApi;
use Caseload\Client\Api\SubjectsApi;
use Caseload\Client\Api\UsersApi;
use Caseload\Client\ApiException;
use Caseload\Client\Configuration;
use Caseload\Client\Model\AssigneeRef;
use Caseload\Client\Model\AssigneeType;
use Caseload\Client\Model\DueInput;
use Caseload\Client\Model\GroupView;
use Caseload\Client\Model\NewActionItem;
use Caseload\Client\Model\NewGroup;
use Caseload\Client\Model\NewNote;
use Caseload\Client\Model\NewUser;
use Caseload\Client\Model\Offboarding;
use Caseload\Client\Model\Role;
use Caseload\Client\Model\SignIn;
use Caseload\Client\Model\Status;
use Caseload\Client\Model\Subject;
use Caseload\Client\Model\UserPatch;
use Caseload\Client\Model\UserView;
use GuzzleHttp\Client;
use GuzzleHttp\TransferStats;

require_once __DIR__ . '/caseload_client/vendor/autoload.php';

define('BASE', getenv('BASE') ?: 'http://127.0.0.1:8080');
define('STAFF_PASSWORD', getenv('STAFF_PASSWORD') ?: bin2hex(random_bytes(16)));

// --- Helpers -------------------------------------------------------------------------------------

/** What one caller may ask; without a token, a stranger. */
final class Caller
{
    public readonly ActionItemsApi $items;
    public readonly AuthApi $auth;
    public readonly DashboardApi $dashboard;
    public readonly GroupsApi $groups;
    public readonly NotesApi $notes;
    public readonly OffboardingApi $offboarding;
    public readonly QueuesApi $queues;
    public readonly ReportsApi $reports;
    public readonly SubjectsApi $subjects;
    public readonly UsersApi $users;

    public function __construct(string $token = '')
    {
        $http = new Client(['connect_timeout' => 3, 'timeout' => 10, 'on_stats' => self::log(...)]);
        $settings = (new Configuration())->setHost(BASE)->setAccessToken($token);
        $this->items = new ActionItemsApi($http, $settings);
        $this->auth = new AuthApi($http, $settings);
        $this->dashboard = new DashboardApi($http, $settings);
        $this->groups = new GroupsApi($http, $settings);
        $this->notes = new NotesApi($http, $settings);
        $this->offboarding = new OffboardingApi($http, $settings);
        $this->queues = new QueuesApi($http, $settings);
        $this->reports = new ReportsApi($http, $settings);
        $this->subjects = new SubjectsApi($http, $settings);
        $this->users = new UsersApi($http, $settings);
    }

    private static function log(TransferStats $stats): void
    {
        $request = $stats->getRequest();
        printf("  %s  %-5s %s\n", $stats->getResponse()?->getStatusCode(), $request->getMethod(), $request->getUri()->getPath());
    }
}

function signIn(string $email, string $password): Caller
{
    $tokens = (new Caller())->auth->createToken(new SignIn(['email' => $email, 'password' => $password]));
    return new Caller($tokens->getAccessToken());
}

function expect(bool $holds): void
{
    $holds || throw new RuntimeException('not what was expected');
}

/**
 * The problem that must come back, with this status and code. As an array: a code's own members are
 * in no class.
 *
 * @return array<string, mixed>
 */
function refused(int $status, string $code, callable $ask): array
{
    try {
        $ask();
    } catch (ApiException $refusal) {
        $problem = json_decode((string) $refusal->getResponseBody(), true, 64, JSON_THROW_ON_ERROR);
        expect([$problem['status'], $problem['code']] === [$status, $code]);
        return $problem;
    }
    throw new RuntimeException("not refused with $status $code");
}

function heading(string $text): void
{
    echo "\n$text\n";
}

// --- The team ------------------------------------------------------------------------------------

heading('Sign in');
$admin = signIn(getenv('ADMIN_EMAIL') ?: 'admin@localhost', (string) getenv('ADMIN_PASSWORD'));
expect($admin->users->readMe()->getRole() === Role::ADMIN);

heading('Groups: Customer Service is there from the first start');
[$customerService] = $admin->groups->listGroups(key: 'customer_service')->getData();

$makeGroup = static fn (string $name): GroupView => $admin->groups->createGroup(new NewGroup(['name' => $name]));
$shipping = $makeGroup('Shipping');
$finance = $makeGroup('Finance');
$sales = $makeGroup('Sales');

heading('People: two agents and a manager');
$hire = static fn (string $email, string $name, string $role, string $timeZone): UserView => $admin->users->createUser(
    new NewUser(['email' => $email, 'name' => $name, 'role' => $role, 'time_zone' => $timeZone, 'password' => STAFF_PASSWORD]),
);
$ana = $hire('ana@shop.example', 'Ana Ruiz', Role::AGENT, 'Europe/Madrid');
$ben = $hire('ben@shop.example', 'Ben Okafor', Role::AGENT, 'Africa/Lagos');
$claire = $hire('claire@shop.example', 'Claire Martin', Role::MANAGER, 'Europe/Paris');

heading('Memberships: a group can be given work once somebody is there to do it');
foreach ([[$customerService, $ana], [$shipping, $ben], [$finance, $claire], [$sales, $claire]] as [$group, $user]) {
    $admin->groups->addGroupMember($group->getId(), $user->getId());
}
$asAna = signIn($ana->getEmail(), STAFF_PASSWORD);
$asBen = signIn($ben->getEmail(), STAFF_PASSWORD);
$asClaire = signIn($claire->getEmail(), STAFF_PASSWORD);

// --- Notes and action items ----------------------------------------------------------------------

heading('Ana takes a call about order A-1001: a note and what follows from it, in one request');
$call = new NewNote([
    'subject' => new Subject(['type' => 'order', 'id' => 'A-1001']),
    'title' => 'Customer called and requested rush shipping',
    'body' => "From: buyer@customer.example\nSubject: Order A-1001\n\nCan it be here by Friday? My card was replaced last week.",
    'action_items' => [
        new NewActionItem([
            'title' => 'Call customer to get correct credit card expiration date',
            'due_in' => 'tomorrow',
            'assignee' => new AssigneeRef(['type' => AssigneeType::USER, 'id' => $ana->getId()]),
        ]),
        new NewActionItem([
            'title' => 'Follow up on shipping in 3 weeks',
            'due_in' => 'in_3_weeks',
            'assignee' => new AssigneeRef(['type' => AssigneeType::GROUP, 'id' => $shipping->getId()]),
        ]),
    ],
]);
$first = $asAna->notes->createNote($call, idempotency_key: 'rush-A-1001');
[$forAna, $forShipping] = $first->getActionItems();
expect($forAna->getAssignee()->getType() === AssigneeType::USER);
expect($forShipping->getAssignee()->getType() === AssigneeType::GROUP);

heading('The same once more, as after a lost answer: nothing is written twice');
[$again, , $headers] = $asAna->notes->createNoteWithHttpInfo($call, idempotency_key: 'rush-A-1001');
expect($again->getId() === $first->getId());
expect(array_change_key_case($headers)['idempotency-replayed'] === ['true']);

heading('Notes on a vendor, a product and a domain');
foreach (
    [
        ['vendor', 'V-17', 'Vendor quoted $150 for international shipping'],
        ['product', 'P-204', 'Two customers asked for a larger size'],
        ['domain', 'shop.example', 'The certificate was renewed'],
    ] as [$type, $id, $title]
) {
    $asAna->notes->createNote(new NewNote(['subject' => new Subject(['type' => $type, 'id' => $id]), 'title' => $title]));
}

heading('An action item for whoever comes first');
$photographs = $asAna->items->createActionItem(new NewActionItem([
    'subject' => new Subject(['type' => 'product', 'id' => 'P-204']),
    'title' => 'Take new photographs',
    'due_in' => 'today',
    'assignee' => new AssigneeRef(['type' => AssigneeType::_PUBLIC]),
]));

// --- Queues --------------------------------------------------------------------------------------

heading("Ana's queues, and everything in her own");
$keys = array_map(static fn ($queue) => $queue->getKey(), $asAna->queues->listQueues()->getData());
expect($keys === ['mine', $customerService->getId(), 'public']);
$mine = $asAna->queues->listQueueItems('mine', view: 'all')->getData();
expect(count($mine) === 1 && $mine[0]->getTitle() === 'Call customer to get correct credit card expiration date');

heading('Ben takes the next item of Shipping');
$item = $asBen->queues->claimNextItem($shipping->getId());
expect($item->getAssignee()->getId() === $ben->getId());

heading('Claire is too late, and is told who has it');
$problem = refused(409, 'already_claimed', static fn () => $asClaire->items->claimActionItem($item->getId()));
expect($problem['holder']['name'] === 'Ben Okafor');

heading('Ana takes the public item');
$asAna->items->claimActionItem($photographs->getId());

// --- Working on an item --------------------------------------------------------------------------

heading('Ben completes his item, reopens it, puts it off, and gives it back to Shipping');
expect($asBen->items->completeActionItem($item->getId())->getStatus() === Status::COMPLETED);
expect($asBen->items->reopenActionItem($item->getId())->getStatus() === Status::OPEN);
$later = $asBen->items->snoozeActionItem($item->getId(), new DueInput(['due_in' => 'in_1_week']));
expect($later->getDueAt() != $item->getDueAt());
expect($asBen->items->releaseActionItem($item->getId())->getAssignee()->getId() === $shipping->getId());

heading('Who did what about the order, and when');
$timeline = $asBen->subjects->listSubjectTimeline('order', 'A-1001')->getData();
$written = array_filter($timeline, static fn ($entry) => $entry->getEvent() === 'note.created');
expect(array_values($written)[0]->getActor()->getName() === 'Ana Ruiz');

// --- Oversight -----------------------------------------------------------------------------------

heading("The dashboard is the managers'");
expect(count($asClaire->dashboard->readDashboard()->getUsers()) === 4);
refused(403, 'missing_scope', static fn () => $asAna->dashboard->readDashboard());

heading('Ana leaves: not while she holds open work');
refused(409, 'open_work', static fn () => $admin->users->updateUser($ana->getId(), new UserPatch(['active' => false])));

heading('Offboarding moves it all to Ben; nothing is left without an owner');
$handedOver = $asClaire->offboarding->offboardUser(
    $ana->getId(),
    new Offboarding(['reassign_to' => new AssigneeRef(['type' => AssigneeType::USER, 'id' => $ben->getId()])]),
);
expect($handedOver->getReassignedTo()->getId() === $ben->getId());
expect($asClaire->reports->listOrphanedWork()->getData() === []);

heading('Done.');
